"""The picture of a front: a panel per pair of objectives, and the numbered candidates in a table below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from string import ascii_lowercase
from typing import TYPE_CHECKING

from evaluators.verdict import JUDGED
from search.formats import probability, scientific, size
from search.plots.panels import Panel
from search.plots.scene import Point, Scene
from search.plots.style import ENSEMBLE, GREY, INK, QUIET, RC, RING, SINGLE, add_axes, hollow, new_figure
from search.plots.table import Table, draw_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from evaluators.base import Measurement

PANEL, GUTTER = (2.6, 2.4), (0.58, 0.6)
"""Inches: width and height of a panel, and what lies left of and below it (ticks and names)."""
MARGIN, COLUMNS = 0.14, 3
TITLE, KEYS = 0.34, 0.2
"""Inches: height of the title, and of each line of the legend."""


def draw_front(scene: Scene) -> Figure:
    """Draw the scene: one panel for two objectives, three for three, then rows of three.

    Raises:
        ValueError: fewer than two objectives span no plane.
    """
    from matplotlib import rc_context

    if len(scene.objectives) < 2:
        raise ValueError("a front of fewer than two objectives has no panels")
    with rc_context(RC):
        return _draw(scene)


def _draw(scene: Scene) -> Figure:
    """Lay everything out in inches: title, legend, panels, table."""
    columns = min(COLUMNS, len(scene.pairs))
    rows = -(-len(scene.pairs) // columns)
    table, keys = _table(scene), _keys(scene)
    room = max(columns * (PANEL[0] + GUTTER[0]), table.width, 5.4)
    lines = max(1, -(-len(keys) // (2 * columns + 1)))
    head = TITLE + KEYS * lines + 0.16
    step = (room / columns, PANEL[1] + GUTTER[1])
    figure = new_figure(room + 2 * MARGIN, head + rows * step[1] + table.height(room) + MARGIN)
    _draw_head(figure, scene.title, keys, lines)
    for index, (across, up) in enumerate(scene.pairs):
        left, down = MARGIN + index % columns * step[0], index // columns * step[1]
        bottom = figure.get_size_inches()[1] - head - down - PANEL[1]
        axes = add_axes(figure, left + GUTTER[0], bottom, step[0] - GUTTER[0], PANEL[1])
        Panel(axes, scene, across, up).draw()
        if len(scene.pairs) > 1:
            axes.set_title(ascii_lowercase[index], loc="left", weight="bold", x=-0.2, y=1.0, pad=2)
    draw_table(figure, table, MARGIN, MARGIN / 2, room)
    return figure


def _draw_head(figure: Figure, title: str, keys: list[Line2D], lines: int) -> None:
    """The title and, under it, what every mark means."""
    height = figure.get_size_inches()[1]
    figure.text(0.5, 1 - TITLE / 2 / height, title, ha="center", va="center", fontsize=10, color=INK)
    figure.legend(
        handles=keys,
        loc="center",
        bbox_to_anchor=(0.5, 1 - (TITLE + KEYS * lines / 2) / height),
        ncols=max(1, -(-len(keys) // lines)),
        frameon=False,
        fontsize=7.5,
        handletextpad=0.4,
        columnspacing=1.4,
    )


def _keys(scene: Scene) -> list[Line2D]:
    """An entry of the legend for every kind of mark that this scene holds."""
    from matplotlib.lines import Line2D

    edge = {"mec": INK, "mew": 0.6, "ls": "none"}
    outline = hollow({"marker": "o", "color": INK, "markersize": 5.0, "ls": "none"})
    kinds = {point.ensemble for point in scene.front}
    marks = [
        (False in kinds, "single network", SINGLE | edge),
        (True in kinds, "ensemble", ENSEMBLE | edge),
        (scene.chosen is not None, f"selected{', by confirmed values' * scene.confirmed}", RING),
        (len(scene.front) < len(scene.points), "evaluated, not on the front", GREY),
        (any(point.masked for point in scene.points), "hollow: masked", outline),
        (bool(scene.front), "best trade-off of the two axes", {"color": QUIET, "lw": 1.0}),
        (bool(scene.limits), "limit", {"color": INK, "lw": 0.9, "ls": ":"}),
    ]
    return [Line2D([], [], label=label, **look) for present, label, look in marks if present]


def _table(scene: Scene) -> Table:
    """Number, candidate and measurements of each numbered point."""
    chosen = [index for index, point in enumerate(scene.numbered) if point.number == scene.chosen]
    units = {o.name: " (%)" if o.unit == "fraction" else "" for o in scene.axes}
    beside = _beside(scene)
    return Table(
        header=("trial", "candidate", *(o.name + units[o.name] for o in scene.axes), *beside),
        rows=tuple(_row(scene, point, beside.values()) for point in scene.numbered),
        strong=chosen[0] if chosen else None,
        note=_note(scene),
    )


def _beside(scene: Scene) -> dict[str, Callable[[Point], str]]:
    """What is said of the points beyond their measurements, by column, where it is known of any."""
    judged = any(JUDGED in point.measurements for point in scene.numbered)
    sure = any(point.probability is not None for point in scene.numbered)
    columns: dict[str, Callable[[Point], str]] = {}
    columns |= {"P(front)": lambda point: probability(point.probability)} if sure else {}
    return columns | ({"verdict": lambda point: point.verdict} if judged else {})


def _row(scene: Scene, point: Point, beside: Iterable[Callable[[Point], str]]) -> tuple[str, ...]:
    values = (_cell(point.measurements[objective.name]) for objective in scene.axes)
    return (str(point.number), point.candidate, *values, *(cell(point) for cell in beside))


def _cell(measurement: Measurement) -> str:
    """A value with its standard error; the unit stands in the header."""
    if measurement.unit == "fraction":
        error = f" ± {100 * measurement.stderr:.1f}" if measurement.n else ""
        return f"{100 * measurement.value:.1f}{error}"
    return size(measurement.value) if measurement.unit == "bytes" else scientific(measurement.value)


def _note(scene: Scene) -> str:
    """What the bars, the ± and P(front) mean, and how much of the front the table leaves out."""
    shown, total = len(scene.numbered), len(scene.front)
    rest = f"; {shown} of the front's {total} points are numbered, front.csv has all" if shown < total else ""
    sure = "; P(front): how sure, given these errors" if "P(front)" in _beside(scene) else ""
    return f"bars: 95 % intervals (Wilson); ±: one standard error{sure}{rest}"
