"""A small table under the panels: number, candidate, measurements, in one block or two side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.plots.style import INK, QUIET, add_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 7.0
CHARACTER = 0.602 * POINTS / 72
"""Inches: one character of the fixed-width font."""
LINE, SPACE, BETWEEN = 0.158, 0.13, 0.3
"""Inches: height of a row, room between columns, room between blocks."""
FONT = "DejaVu Sans Mono"


@dataclass(frozen=True, kw_only=True)
class Table:
    """What the table says.

    Attributes:
        header: one name per column; the first two columns are set flush left, the others flush right.
        rows: one text per column.
        strong: index of the row in bold, if any.
        note: one line below, or nothing.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: int | None = None
    note: str = ""

    @property
    def columns(self) -> tuple[float, ...]:
        """Width of each column in inches."""
        lengths = (max(len(row[i]) for row in (self.header, *self.rows)) for i in range(len(self.header)))
        return tuple(length * CHARACTER for length in lengths)

    @property
    def width(self) -> float:
        """Width of one block in inches."""
        return sum(self.columns) + SPACE * (len(self.header) - 1)

    def blocks(self, room: float) -> int:
        """2 if the rows are many enough to share the `room` in inches and fit there, else 1."""
        return 2 if len(self.rows) > 4 and 2 * self.width + BETWEEN <= room else 1

    def height(self, room: float) -> float:
        """Inches it takes when it is `room` wide."""
        lines = -(-len(self.rows) // self.blocks(room))
        return (lines + 1.5 + (1.2 if self.note else 0)) * LINE


def draw_table(figure: Figure, table: Table, left: float, bottom: float, room: float) -> None:
    """Draw it with its lower left corner at a place in inches, in the middle of `room` inches."""
    height = table.height(room)
    axes = add_axes(figure, left, bottom, room, height)
    axes.set_axis_off()
    axes.set_xlim(0, room)
    axes.set_ylim(0, height)
    count = table.blocks(room)
    lines = -(-len(table.rows) // count)
    start = (room - count * table.width - (count - 1) * BETWEEN) / 2
    for block in range(count):
        _draw_block(axes, table, start + block * (table.width + BETWEEN), range(block * lines, (block + 1) * lines))
    if table.note:
        axes.text(room / 2, 0.4 * LINE, table.note, ha="center", va="center", fontsize=POINTS, color=QUIET)


def _draw_block(axes: Axes, table: Table, left: float, rows: range) -> None:
    """The header, a rule, and the rows of this block that exist."""
    top = axes.get_ylim()[1]
    _draw_row(axes, table, table.header, left, top - 0.5 * LINE, "bold")
    axes.plot([left, left + table.width], [top - 1.05 * LINE] * 2, color=INK, linewidth=0.6)
    for line, index in enumerate(i for i in rows if i < len(table.rows)):
        weight = "bold" if index == table.strong else "normal"
        _draw_row(axes, table, table.rows[index], left, top - (line + 1.75) * LINE, weight)


def _draw_row(axes: Axes, table: Table, cells: tuple[str, ...], left: float, height: float, weight: str) -> None:
    """One row, every cell at its column."""
    for index, (cell, wide) in enumerate(zip(cells, table.columns, strict=True)):
        flush = index < 2
        axes.text(
            left if flush else left + wide,
            height,
            cell,
            ha="left" if flush else "right",
            va="center_baseline",
            fontsize=POINTS,
            family=FONT,
            weight=weight,
            color=INK,
        )
        left += wide + SPACE
