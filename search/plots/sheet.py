"""A figure with a title, what it is a picture of, a legend, and panels in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from search.plots.style import INK, QUIET, RULE, add_axes, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, BOTTOM, TITLE, LINE, KEYS = 0.72, 0.14, 0.52, 0.3, 0.15, 0.22
"""Inches: what lies left of, right of and below a panel; height of the title, a line below it, a line of the legend."""
KEYS_A_LINE = 5
CHARACTER = 0.062
"""Inches: a character of the lines below the title."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """How a picture is laid out.

    Attributes:
        title: what is shown.
        subject: of what: candidate, data set, network; broken into lines as needed.
        panels: rows and columns.
        size: width and height of a panel in inches.
        bottom: room below a panel in inches, for its ticks and name.
        keys: lines of the legend.
    """

    title: str
    subject: str
    panels: tuple[int, int] = (1, 1)
    size: tuple[float, float] = (4.7, 2.4)
    bottom: float = BOTTOM
    keys: int = 1

    def draw(self) -> tuple[Figure, list[Axes]]:
        """The figure with its title and its empty panels, row by row."""
        rows, columns = self.panels
        step = (LEFT + self.size[0] + RIGHT, self.size[1] + self.bottom)
        lines = wrap(self.subject, int(columns * step[0] / CHARACTER)) or [""]
        head = TITLE + LINE * len(lines) + KEYS * self.keys + 0.14
        figure = new_figure(columns * step[0], head + rows * step[1])
        height = figure.get_size_inches()[1]
        figure.text(0.5, 1 - 0.19 / height, self.title, ha="center", va="center", fontsize=9.5, color=INK)
        for index, line in enumerate(lines):
            down = TITLE + LINE * (index + 0.5)
            figure.text(0.5, 1 - down / height, line, ha="center", va="center", fontsize=7.5, color=QUIET)
        places = [(row, column) for row in range(rows) for column in range(columns)]
        low = [(column * step[0] + LEFT, (rows - 1 - row) * step[1] + self.bottom) for row, column in places]
        return figure, [add_axes(figure, left, bottom, *self.size) for left, bottom in low]

    def draw_keys(self, figure: Figure, handles: Sequence[Artist]) -> None:
        """The legend, between the title and the panels; every handle has a label."""
        figure.legend(
            handles=list(handles),
            loc="center",
            bbox_to_anchor=(0.5, self._middle_of_keys(figure)),
            ncols=max(1, -(-len(handles) // self.keys)),
            frameon=False,
            fontsize=7.5,
            handletextpad=0.4,
            columnspacing=1.4,
        )

    def _middle_of_keys(self, figure: Figure) -> float:
        """As a share of the figure's height."""
        height = figure.get_size_inches()[1]
        top = max(axes.get_position().y1 for axes in figure.axes)
        return float(top + (0.07 + KEYS * self.keys / 2) / height)


def lines_of_keys(entries: int) -> int:
    """How many lines a legend of so many short entries takes."""
    return -(-entries // KEYS_A_LINE)


def rule(axes: Axes) -> None:
    """A quiet grid behind what is drawn."""
    axes.grid(True, color=RULE, linewidth=0.4, alpha=0.6)
    axes.set_axisbelow(True)
