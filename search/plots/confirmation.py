"""The picture of a confirmed front: an arrow per candidate, from what the search had said to what was confirmed."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from search.plots.labels import Box, Label, Obstacle, distance, place
from search.plots.numbers import FAR, GAP, HEIGHT, MARKER, PIXEL, WIDTH, lead, pixels, write
from search.plots.panels import axis_label, scaled, span
from search.plots.sheet import Sheet, rule
from search.plots.style import INK, QUIET, RC, SERIES, SINGLE, hollow
from search.plots.ticks import set_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from evaluators.base import Measurement
    from evaluators.objectives import Objective
    from studies import Confirmation, ConfirmedRow

    Pair = tuple[Objective, Objective]
    Spot = tuple[float, float]

COLUMNS = 3
FELL: dict[str, Any] = {"marker": "X", "color": SERIES[3][0], "markersize": 5.6}
BEFORE: dict[str, Any] = {"marker": "o", "color": QUIET, "markersize": 3.6}
LOOKS = {"on the confirmed front": SINGLE, "not on it": FELL, "hollow: masked": hollow(FELL)}


def draw_confirmation(confirmation: Confirmation, objectives: Sequence[Objective], subject: str) -> Figure:
    """Draw a panel per pair of objectives, costs across.

    Args:
        confirmation: with at least one row that was measured.
        objectives: two or more; each row has a measurement of each, before and after.
        subject: data set, network, budget; the line below the title.
    """
    from matplotlib import rc_context

    pairs = list(combinations(sorted(objectives, key=lambda one: one.maximize), 2))
    columns = min(COLUMNS, len(pairs))
    with rc_context(RC):
        sheet = Sheet(
            title="From what the search had said to what was confirmed",
            subject=subject,
            panels=(-(-len(pairs) // columns), columns),
            size=(4.2, 3.2) if columns == 1 else (2.7, 2.7),
        )
        figure, panels = sheet.draw()
        rows = [row for row in confirmation.rows if row.measurements]
        for axes, pair in zip(panels, pairs, strict=False):
            _draw_panel(axes, rows, pair)
        for axes in panels[len(pairs) :]:
            axes.set_axis_off()
        sheet.draw_keys(figure, _keys(rows))
        return figure


def _draw_panel(axes: Axes, rows: Sequence[ConfirmedRow], pair: Pair) -> None:
    """Every row, those that stand on top."""
    _set_up(axes, rows, pair)
    for row in reversed(rows):
        _draw_row(axes, row, pair)
    _draw_numbers(axes, rows, pair)


def _draw_row(axes: Axes, row: ConfirmedRow, pair: Pair) -> None:
    """Where it was, an arrow, and where it is, with its 95 % interval."""
    start, end, look = _spot(row.proxy, pair), _spot(row.measurements, pair), LOOKS[_kind(row)]
    axes.plot(*start, **hollow(BEFORE), ls="none", zorder=2)
    arrow = {"arrowstyle": "->", "color": look["color"], "lw": 0.9, "shrinkA": 2, "shrinkB": 3}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=3)
    (left, right), (low, high) = (_interval(row.measurements[one.name], one) for one in pair)
    axes.plot([left, right], [end[1]] * 2, color="#555555", lw=0.6, zorder=3.5)
    axes.plot([end[0]] * 2, [low, high], color="#555555", lw=0.6, zorder=3.5)
    edge = {} if "mec" in look else {"mec": INK, "mew": 0.6}
    axes.plot(*end, **(look | edge | {"ls": "none"}), zorder=4 + row.stands)


def _draw_numbers(axes: Axes, rows: Sequence[ConfirmedRow], pair: Pair) -> None:
    """The trial's number beside where each candidate is now."""
    frame, labels, obstacles = axes.get_window_extent(), [], []
    for row in rows:
        size = ((WIDTH * len(str(row.number)) + 2) * PIXEL, HEIGHT * PIXEL)
        start, end = (pixels(axes, _spot(one, pair)) for one in (row.proxy, row.measurements))
        labels.append(Label(anchor=end, size=size, gap=GAP * PIXEL))
        obstacles.append(Obstacle(Box.around(*end, MARKER * PIXEL, MARKER * PIXEL), 8.0))
        obstacles += [Obstacle(box, 1.5) for box in _along(start, end)]
        (left, right), (low, high) = (_interval(row.measurements[one.name], one) for one in pair)
        x, y = _spot(row.measurements, pair)
        for one, other in (((left, y), (right, y)), ((x, low), (x, high))):
            obstacles.append(Obstacle(Box.between(pixels(axes, one), pixels(axes, other)), 1.0))
    boxes = place(labels, obstacles, Box(frame.x0, frame.y0, frame.x1, frame.y1))
    for row, label, box in zip(rows, labels, boxes, strict=True):
        write(axes, str(row.number), box)
        if distance(label.anchor, box) > label.gap + FAR * PIXEL:
            lead(axes, label.anchor, box)


def _along(start: Spot, end: Spot, parts: int = 8) -> list[Box]:
    """Small boxes along an arrow."""
    steps = [index / parts for index in range(parts)]
    (x0, y0), (x1, y1) = start, end
    return [Box.around(x0 + (x1 - x0) * step, y0 + (y1 - y0) * step, 4, 4) for step in steps]


def _set_up(axes: Axes, rows: Sequence[ConfirmedRow], pair: Pair) -> None:
    """Scales, limits and names of both axes."""
    for objective, kind in zip(pair, "xy", strict=True):
        values = [scaled(row.proxy[objective.name].value, objective) for row in rows]
        values += [edge for row in rows for edge in _interval(row.measurements[objective.name], objective)]
        log = objective.unit != "fraction" and min(values, default=0.0) > 0
        getattr(axes, f"set_{kind}scale")("log" if log else "linear")
        getattr(axes, f"set_{kind}lim")(span(values, log=log))
        getattr(axes, f"set_{kind}label")(axis_label(objective))
        set_ticks(getattr(axes, f"{kind}axis"), values, log=log)
    rule(axes)


def _spot(measurements: Mapping[str, Measurement], pair: Pair) -> Spot:
    """Where something lies, in the units of the axes."""
    x, y = (scaled(measurements[one.name].value, one) for one in pair)
    return x, y


def _interval(one: Measurement, objective: Objective) -> Spot:
    low, high = one.interval
    return scaled(low, objective), scaled(high, objective)


def _kind(row: ConfirmedRow) -> str:
    if row.stands:
        return "on the confirmed front"
    return "hollow: masked" if row.verdict == "masked" else "not on it"


def _keys(rows: Sequence[ConfirmedRow]) -> list[Any]:
    """An entry of the legend for every kind of mark."""
    from matplotlib.lines import Line2D

    kinds = {_kind(row) for row in rows}
    marks = {"in the search": hollow(BEFORE)} | {name: look for name, look in LOOKS.items() if name in kinds}
    several = any(len(row.seeds) > 1 for row in rows)  # one seed says nothing of how far others lie
    bar = Line2D([], [], label=f"95 %: images {'and seeds' if several else 'alone'}", color="#555555", lw=0.8)
    return [*(Line2D([], [], label=label, ls="none", **look) for label, look in marks.items()), bar]
