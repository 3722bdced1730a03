"""The numbers beside a panel's points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from search.plots.labels import Box, Label, Obstacle, distance, place
from search.plots.style import DPI, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.plots.panels import Panel
    from search.plots.scene import Point

Spot = tuple[float, float]
PIXEL = DPI / 72
"""Pixels in a point."""
CHOSEN = "selected"
MARKER, RING, WIDTH, HEIGHT, GAP = 7.0, 14.0, 4.9, 8.0, 4.5
"""In points: side of a marker, of the ring, a letter, a line of text, from a point to its number."""
FAR = 5.0
"""In points: moved further than this, a thin line leads from a number to its point."""


def draw_numbers(panel: Panel) -> None:
    """Write a number beside each numbered point, "selected" with the selected one."""
    points = sorted(panel.scene.numbered, key=lambda p: p.number != panel.scene.chosen)
    labels = [_label(panel, point) for point in points]
    frame = panel.axes.get_window_extent()
    bounds = Box(frame.x0, frame.y0, frame.x1, frame.y1)
    boxes = place(labels, list(_obstacles(panel)), bounds)
    for point, label, box in zip(points, labels, boxes, strict=True):
        write(panel.axes, _text(panel, point), box)
        if distance(label.anchor, box) > label.gap + FAR * PIXEL:
            lead(panel.axes, label.anchor, box)


def _text(panel: Panel, point: Point) -> str:
    """What is written beside a point."""
    return f"{point.number} {CHOSEN}" if point.number == panel.scene.chosen else str(point.number)


def _label(panel: Panel, point: Point) -> Label:
    """The room a point's number needs, outside its marker or ring."""
    text = _text(panel, point)
    return Label(
        anchor=pixels(panel.axes, panel.place(point)),
        size=((WIDTH * len(text) + 2) * PIXEL, HEIGHT * PIXEL),
        gap=(RING / 2 + 1 if CHOSEN in text else GAP) * PIXEL,
    )


def pixels(axes: Axes, spot: tuple[float, float]) -> tuple[float, float]:
    """Where a spot lies on the canvas."""
    x, y = axes.transData.transform(spot)
    return float(x), float(y)


def _obstacles(panel: Panel) -> Iterator[Obstacle]:
    """What a number should not cover: markers above all, then bars and the staircase."""
    for point in panel.scene.points:
        x, y = pixels(panel.axes, panel.place(point))
        ring = point.number == panel.scene.chosen
        side = (RING if ring else MARKER if point.front else MARKER / 2) * PIXEL
        yield Obstacle(Box.around(x, y, side, side), 8.0 if point.front else 3.0)
        if point.front:
            yield from _bars(panel, panel.place(point), panel.intervals(point))
    for start, end in pairwise(pixels(panel.axes, corner) for corner in panel.edge):
        yield Obstacle(Box.between(start, end), 1.5)


def _bars(panel: Panel, spot: Spot, intervals: tuple[Spot, Spot]) -> Iterator[Obstacle]:
    """Both error bars of a point."""
    (x, y), ((left, right), (bottom, up)) = spot, intervals
    for low, top in (((left, y), (right, y)), ((x, bottom), (x, up))):
        if low != top:
            yield Obstacle(Box.between(pixels(panel.axes, low), pixels(panel.axes, top)), 1.0)


def write(axes: Axes, text: str, box: Box) -> None:
    """A number in its box, on a thin white halo; bold for the selected one."""
    from matplotlib.patheffects import withStroke

    weight = "bold" if CHOSEN in text else "normal"
    x, y = axes.transAxes.inverted().transform(box.middle)
    look: dict[str, Any] = {
        "ha": "center",
        "va": "center_baseline",
        "fontsize": 7.0,
        "color": INK,
        "zorder": 7,
    }
    written = axes.text(x, y, text, transform=axes.transAxes, weight=weight, **look)
    written.set_path_effects([withStroke(linewidth=1.6, foreground="white")])


def lead(axes: Axes, anchor: tuple[float, float], box: Box) -> None:
    """A thin line from a point to the nearest edge of its far number."""
    near = (min(max(anchor[0], box.left), box.right), min(max(anchor[1], box.bottom), box.top))
    (x0, y0), (x1, y1) = axes.transAxes.inverted().transform([anchor, near])
    axes.plot([x0, x1], [y0, y1], transform=axes.transAxes, color=QUIET, linewidth=0.5, zorder=3)
