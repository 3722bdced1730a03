"""The page of a document: one file that needs no other, and asks nobody for anything."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from search.report.articles import article
from search.report.figure_list import FigureList
from search.report.markup import Markup, joined
from search.report.sections import (
    confirmation_section,
    facts_section,
    filter_section,
    growth_section,
    importance_section,
    pictures_section,
    tables_section,
)

SCRIPTS = ("look.js", "linked.js", "filters.js", "pages.js")
"""In the order they run, after plotly."""


def page_of(document: Mapping[str, Any]) -> str:
    """The HTML file that shows a document; equal documents give equal files.

    Only the scripts that are named by their digest in the page's policy run, and nothing is loaded from anywhere.
    """
    figures = FigureList()
    sections = (
        facts_section(document),
        filter_section(document),
        pictures_section(document),
        tables_section(document),
        confirmation_section(document, figures),
        growth_section(document, figures),
        importance_section(document, figures),
        joined(*(article(one, document["columns"], figures) for one in document["details"])),
    )
    scripts = [_plotly(), *map(_text, SCRIPTS)]
    return Template(_text("page.html")).substitute(
        policy=_policy(scripts),
        title=escape(f"{document['study']}: {document['title']}"),
        heading=escape(document["study"]),
        subject=escape(document["title"]),
        style=_text("page.css"),
        body=joined(*sections),
        data=_inside_script(_data(document, figures)),
        scripts="\n".join(f"<script>{one}</script>" for one in scripts),
    )


def _data(document: Mapping[str, Any], figures: FigureList) -> dict[str, Any]:
    """What the scripts work on."""
    wanted = ("axes", "pairs", "limits", "points", "parallel")
    return {name: document[name] for name in wanted} | {"figures": figures.all}


def _inside_script(data: object) -> Markup:
    """JSON that no parser of HTML finds an end, a comment or an entity in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _policy(scripts: list[str]) -> str:
    digests = " ".join(f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in scripts)
    return f"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src {digests}"


def _text(name: str) -> str:
    return files("search.report").joinpath(name).read_text(encoding="utf-8")
