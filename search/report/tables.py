"""Tables of a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from search.report.markup import Markup, element


def grid(columns: Sequence[str], rows: Sequence[Sequence[str | Markup]], title: str) -> Markup:
    """A table of texts that scrolls by itself where it is wider than the screen."""
    head = element("tr", *(element("th", name, scope="col") for name in columns))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    return _scrolled(element("table", element("thead", head), element("tbody", *body)), title)


def rows_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str) -> Markup:
    """A row for each candidate, with a link to its page."""
    names = ("trial", "candidate", *columns, "P(front)", "verdict")
    head = element("tr", *(element("th", name, scope="col") for name in names))
    return _scrolled(element("table", element("thead", head), element("tbody", *map(_row, rows))), title)


def page_link(number: int, text: str) -> Markup:
    """A link that opens the page of a candidate."""
    return element("a", text, href=f"#candidate-{number}")


def _row(row: Mapping[str, Any]) -> Markup:
    number = row["number"]
    cells = [page_link(number, f"#{number}"), row["candidate"], *row["cells"], row["probability"], row["verdict"]]
    return element("tr", *(element("td", cell) for cell in cells), data_number=str(number))


def _scrolled(table: Markup, title: str) -> Markup:
    return element("div", table, class_="scroll", role="region", aria_label=title, tabindex="0")
