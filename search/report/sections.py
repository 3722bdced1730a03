"""The sections of a page, from a document."""

from collections.abc import Mapping, Sequence
from typing import Any

from search.formats import scientific
from search.report.figure_list import FigureList
from search.report.markup import Markup, element, joined
from search.report.tables import grid, page_link, rows_table

Json = Mapping[str, Any]
KEY = (("front", "on the front"), ("chosen", "selected"), ("other", "behind it"))
LOOKS = (("●", "robustness ok, or unchecked"), ("■", "suspect"), ("○", "masked: an over-estimate"))
FEW = 3
"""Axes that a picture in space has."""


def facts_section(document: Json) -> Markup:
    """What was searched, and how."""
    return element("section", _facts(document["facts"]), aria_label="what was searched")


def filter_section(document: Json) -> Markup:
    """One limit for each objective; they hide points in every picture and rows in every table."""
    fields = [_field(axis, document["points"]) for axis in document["axes"]]
    front = element("label", element("input", type="checkbox", name="front"), " only the front")
    count = element(
        "output",
        f"{len(document['points'])} of {len(document['points'])} candidates shown",
        id="count",
        aria_live="polite",
    )
    reset = element("button", "show all", type="reset")
    form = element("form", *fields, front, reset, count, id="filters", aria_label="limits")
    return element("section", element("h2", "Limits"), form, class_="screen")


def pictures_section(document: Json) -> Markup:
    """The front in space, from every side, and in parallel coordinates."""
    space = _space(document["axes"]) if len(document["axes"]) >= FEW else None
    titles = {axis["name"]: axis["title"] for axis in document["axes"]}
    planes = [
        _plot(f"plane-{i}", f"{titles[y]} over {titles[x]}", "plane") for i, (x, y) in enumerate(document["pairs"])
    ]
    lines = _plot("parallel", "parallel coordinates: objectives and choices, better is up", "parallel")
    return element(
        "section",
        element("h2", "Front"),
        element("p", "Point at a candidate to find it in all pictures; click it to open its page.", class_="screen"),
        _key(),
        space,
        element("div", *planes, class_="planes"),
        element("h2", "Parallel coordinates"),
        element("p", "A line for each candidate, better objectives up; choices in which candidates differ follow."),
        element("div", lines, class_="wide"),
    )


def tables_section(document: Json) -> Markup:
    """The front as a table, and all candidates folded away."""
    rows = document["rows"]
    front = [row for row in rows if row["front"]]
    everything = element(
        "details",
        element("summary", f"all {len(rows)} measured candidates"),
        rows_table(rows, document["columns"], "all measured candidates"),
    )
    found = rows_table(front, document["columns"], "the front") if front else element("p", "The front is empty.")
    return element("section", element("h2", f"The front as a table: {len(front)}"), found, everything)


def confirmation_section(document: Json, figures: FigureList) -> Markup:
    """What the search had said against what was found in full; or which command finds out."""
    found, head = document["confirmation"], element("h2", "Confirmed")
    if not found:
        command = element("code", document["unconfirmed"])
        text = element("p", "The front is not confirmed: it is as the search measured it. ", command)
        return element("section", head, text)
    links = [page_link(number, f"#{number}") for number in found["numbers"]]
    rows = [[link, *row] for link, row in zip(links, found["rows"], strict=True)]
    table = grid(found["columns"], rows, "confirmed candidates")
    told = element("ul", *(element("li", text) for text in found["told"]))
    places = [figures.place(one["title"], one["figure"]) for one in found["figures"]]
    return element("section", head, element("p", found["how"]), told, table, element("div", *places, class_="figures"))


def growth_section(document: Json, figures: FigureList) -> Markup:
    """How the front grew."""
    place = figures.place("hypervolume against running time", document["growth"])
    return element("section", element("h2", "Growth"), place)


def importance_section(document: Json, figures: FigureList) -> Markup:
    """Which choices bring a candidate to the front."""
    found, head = document["importance"], element("h2", "What brings a candidate to the front")
    if found["figure"] is None:
        return element("section", head, element("p", found["why_not"]))
    place = figures.place("importance of each choice", found["figure"])
    how = element("p", f"Over {found['candidates']} candidates. {found['how']}", class_="small")
    return element("section", head, place, how, *(_groups(one) for one in found["choices"]))


def _groups(choice: Json) -> Markup:
    rows = [[one["value"], str(one["candidates"]), f"{one['mean']:.2f}"] for one in choice["groups"]]
    table = grid([choice["choice"], "candidates", "mean P(front)"], rows, choice["choice"])
    return element("details", element("summary", choice["choice"]), table)


def _facts(facts: Sequence[Sequence[str]]) -> Markup:
    return element("dl", *(joined(element("dt", name), element("dd", text)) for name, text in facts))


def _field(axis: Json, points: Sequence[Json]) -> Markup:
    """The limit on one objective; its placeholder is the whole range."""
    values = [point["values"][axis["name"]] for point in points]
    op, sign = (">=", "≥") if axis["maximize"] else ("<=", "≤")
    reach = f"{_typed(min(values), axis)} to {_typed(max(values), axis)}" if values else ""
    field = element("input", type="text", inputmode="decimal", name=axis["name"], data_op=op, placeholder=reach)
    return element("label", f"{axis['name']} {sign} ", field)


def _typed(value: float, axis: Json) -> str:
    """As it may be typed into the field."""
    return f"{100 * value:.1f}%" if axis["fraction"] else scientific(value)


def _space(axes: Sequence[Json]) -> Markup:
    """The picture in space; which objectives it has can be chosen where there are more than three."""
    chosen = [_choice(place, axes) for place in range(FEW)] if len(axes) > FEW else []
    turn = element("button", "rotate", type="button", id="turn", aria_pressed="false")
    controls = element("p", *chosen, turn, class_="screen")
    missing = element(
        "p",
        "This browser has no WebGL, which the picture in space needs: the planes below show the same.",
        id="flat",
        hidden=True,
    )
    return element("div", controls, missing, _plot("space", "the front in space, three objectives", "space"))


def _choice(place: int, axes: Sequence[Json]) -> Markup:
    options = [element("option", axis["name"], value=axis["name"], selected=i == place) for i, axis in enumerate(axes)]
    return element("label", f"{'xyz'[place]} ", element("select", *options, class_="axis"), " ")


def _plot(name: str, title: str, kind: str) -> Markup:
    return element("div", id=name, class_=f"plot {kind}", role="img", aria_label=title)


def _key() -> Markup:
    colours = [element("li", element("b", "●", class_=name), f" {text}") for name, text in KEY]
    looks = [element("li", element("b", sign), f" {text}") for sign, text in LOOKS]
    return element("ul", *colours, *looks, class_="key", aria_label="how points are drawn")
