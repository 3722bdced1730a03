"""Diagnostics layer by layer: Lipschitz constants of quantization errors, gradients on their way to the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from search.plots.sheet import Sheet, lines_of_keys, rule
from search.plots.style import INK, QUIET, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from evaluators import Table

WIDTH, SLOT, WIDEST = 4.7, 0.17, 9.6
"""Inches: a panel of few layers, what each layer takes where there are many, the widest panel."""
LETTER = 0.065
"""Inches: a letter of an upright tick label."""
NORMS = (("two_norm", "‖ΔW‖₂", True), ("infinity_norm", "‖ΔW‖∞", False))
ZEROS = (("zero_images", "whole image", True), ("zero_values", "single values", False))


def draw_lipschitz(table: Table, title: str, subject: str) -> Figure:
    """Both norms of each layer's error, on a logarithmic axis with a line at 1."""
    sheet, places = _sheet(table, "layer", title, subject, rows=1)
    figure, [axes] = sheet.draw()
    values = [value for name, _, _ in NORMS for value in table.numbers(name)]
    floor = _logarithmic(axes, [*values, 1.0])
    for name, _, filled in NORMS:
        _draw_marks(axes, table, name, filled=filled, floor=floor)
    axes.axhline(1.0, color=INK, linewidth=0.9, linestyle=":", zorder=1.5)
    axes.annotate(
        "amplifies above",
        (1.0, 1.0),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=6.5,
        color=QUIET,
    )
    _name_places(axes, places, "layer, in the order of the computation")
    axes.set_ylabel("Lipschitz constant of the error")
    sheet.draw_keys(figure, _keys(table, NORMS))
    return figure


def draw_gradients(table: Table, title: str, subject: str) -> Figure:
    """Above, the mean gradient at each place; below, how much of it is exactly zero."""
    sheet, places = _sheet(table, "place", title, subject, rows=2)
    figure, [above, below] = sheet.draw()
    floor = _logarithmic(above, table.numbers("gradient"))
    _draw_marks(above, table, "gradient", filled=True, floor=floor)
    above.set_ylabel("mean |dL/dx|")
    for name, _, filled in ZEROS:
        _draw_marks(below, table, name, filled=filled, scale=100.0)
    below.set_ylim(-4, 104)
    below.set_ylabel("exactly zero (%)")
    for axes in (above, below):
        _name_places(axes, places, "")
    below.set_xlabel("the image, then each layer's input")
    sheet.draw_keys(figure, _keys(table, ZEROS))
    return figure


def _keys(table: Table, kinds: Sequence[tuple[str, str, bool]]) -> list[Line2D]:
    """What filled and hollow marks mean, then the members if there are several."""
    from matplotlib.lines import Line2D

    members = table.distinct("member")
    named = [("o", QUIET, filled, label) for _, label, filled in kinds]
    for index, member in enumerate(members if len(members) > 1 else ()):
        color, marker = SERIES[index % len(SERIES)]
        named.append((marker, color, True, f"member {member}"))
    return [
        Line2D([], [], ls="none", marker=marker, mec=color, mfc=color if filled else "none", ms=4.6, label=label)
        for marker, color, filled, label in named
    ]


def _sheet(table: Table, column: str, title: str, subject: str, *, rows: int) -> tuple[Sheet, list[str]]:
    """A sheet as wide as the places along its axis ask for."""
    places = [str(place) for place in table.distinct(column)]
    width = min(WIDEST, max(WIDTH, SLOT * len(places)))
    bottom = 0.42 + (LETTER * max(map(len, places)) if _upright(places) else 0.1)
    members = len(table.distinct("member"))
    keys = lines_of_keys(2 + (members if members > 1 else 0))
    size = (width, 2.3 if rows == 1 else 1.6)
    return Sheet(title=title, subject=subject, panels=(rows, 1), size=size, bottom=bottom, keys=keys), places


def _upright(places: Sequence[str]) -> bool:
    """Whether labels side by side would collide."""
    return sum(map(len, places)) * LETTER > 0.8 * WIDTH


def _name_places(axes: Axes, places: Sequence[str], name: str) -> None:
    turned: dict[str, Any] = {"rotation": 90} if _upright(places) else {}
    axes.set_xticks(range(len(places)), list(places), fontsize=7 if len(places) < 30 else 5.5, **turned)
    axes.set_xlim(-0.6, len(places) - 0.4)
    axes.set_xlabel(name)
    rule(axes)


def _logarithmic(axes: Axes, values: Sequence[float]) -> float:
    """Make the vertical axis logarithmic, in whole decades; returns its floor, where zeros are drawn."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    axes.set_yscale("log")
    floor, top = math.pow(10, low - 0.4), math.pow(10, max(high, low + 1) + 0.1)
    axes.set_ylim(floor, top)
    if min(values) <= 0:
        place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        axes.annotate("0", (0, 0), xytext=(-5, 0), **place, ha="right", va="center")
    return floor


def _draw_marks(axes: Axes, table: Table, column: str, *, filled: bool, floor: float = 0.0, scale: float = 1.0) -> None:
    """A mark per place and member, the members side by side; on a logarithmic axis zeros lie on its floor."""
    members = table.distinct("member")
    for index, member in enumerate(members):
        rows = table.where(member=member)
        shift = 0.5 * ((index + 0.5) / len(members) - 0.5)
        xs = [place + shift for place in range(len(rows.rows))]
        ys = [scale * value or floor for value in rows.numbers(column)]
        color, marker = SERIES[index % len(SERIES)]
        look: dict[str, Any] = {"ls": "none", "marker": marker, "markersize": 4.6, "mec": color, "mew": 0.9}
        axes.plot(xs, ys, **look, mfc=color if filled else "none", clip_on=False, zorder=3)
