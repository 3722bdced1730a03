"""One self-contained HTML file of a study: a document of plain values, and the page that shows it."""

from search.report.document import document_of
from search.report.page import page_of

__all__ = ["document_of", "page_of"]
