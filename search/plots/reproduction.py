"""The picture of a reproduced table: a panel per column, published and measured side by side in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.plots.style import INK, QUIET, RC, RULE, add_axes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from studies import Sheet
    from studies.papers.statistics import Cell
    from studies.papers.table import Column

PANEL, GUTTER, MARGIN = 1.45, 0.16, 0.14
"""Inches: width of a panel, between panels, around everything."""
LINE, HEAD, FOOT = 0.24, 0.95, 0.42
"""Inches: height of a row, of what stands above the rows and below them."""
LETTER, TITLE_LETTER, SMALL_LETTER = 0.062, 0.075, 0.057
"""Inches: a letter of a row's name, of the title, of the line under it."""
LEAST = 4.8
"""Inches: width that the legend needs."""
PUBLISHED: dict[str, Any] = {
    "marker": "D",
    "mfc": "white",
    "mec": "#c05a00",
    "mew": 1.2,
    "markersize": 5.0,
    "ls": "none",
}
MEASURED: dict[str, Any] = {"marker": "o", "color": "#0072b2", "markersize": 4.6, "ls": "none"}
OURS: dict[str, Any] = {"marker": "s", "color": "#555555", "markersize": 4.2, "ls": "none"}


def draw_reproduction(sheet: Sheet) -> Figure:
    """Draw a filled table; rows from top to bottom as in the paper, cells without any figure stay empty."""
    from matplotlib import rc_context

    with rc_context(RC):
        return _draw(sheet)


def _draw(sheet: Sheet) -> Figure:
    """Lay out title, legend and panels in inches."""
    columns, names = sheet.columns, [line.row.name for line in sheet.lines]
    left = MARGIN + LETTER * max(map(len, names)) + 0.15
    title = f"{sheet.setup.design.name}: {sheet.setup.design.title}"
    letters = max(TITLE_LETTER * len(title), SMALL_LETTER * len(_subtitle(sheet)))
    width = max(left + len(columns) * (PANEL + GUTTER) + MARGIN, LEAST, letters + 2 * MARGIN)
    step = (width - left - MARGIN) / len(columns)
    height = LINE * (len(names) + 0.4)
    figure = new_figure(width, HEAD + height + FOOT)
    _draw_head(figure, sheet, title)
    for index, column in enumerate(columns):
        axes = add_axes(figure, left + index * step, FOOT, step - GUTTER, height)
        _draw_panel(axes, sheet, column)
        axes.set_yticks(range(len(names)), names if index == 0 else [""] * len(names))
    return figure


def _draw_head(figure: Figure, sheet: Sheet, title: str) -> None:
    """Title, what was measured, and what the marks mean."""
    height = figure.get_size_inches()[1]
    colour = "#b00000" if sheet.warning else QUIET
    figure.text(0.5, 1 - 0.16 / height, title, ha="center", va="center", fontsize=9.5, color=INK)
    figure.text(0.5, 1 - 0.35 / height, _subtitle(sheet), ha="center", va="center", fontsize=7, color=colour)
    figure.legend(
        handles=_keys(sheet),
        loc="center",
        bbox_to_anchor=(0.5, 1 - 0.56 / height),
        ncols=3,
        frameon=False,
        fontsize=7.5,
        handletextpad=0.3,
        columnspacing=1.4,
    )


def _subtitle(sheet: Sheet) -> str:
    """Whose table at which budget, or what must not be overlooked."""
    scale, design = sheet.setup.scale, sheet.setup.design
    return sheet.warning or f"{design.paper}; scale {scale.name}: {scale.budget(design)}"


def _keys(sheet: Sheet) -> list[Any]:
    """An entry of the legend for every kind of mark in this sheet."""
    from matplotlib.lines import Line2D

    ours = any(column.ours for column in sheet.columns)
    marks = [("published", PUBLISHED), ("measured, 95 % interval", MEASURED)]
    marks += [("measured, not in the paper", OURS)] if ours else []
    return [Line2D([], [], label=label, **look) for label, look in marks]


def _draw_panel(axes: Axes, sheet: Sheet, column: Column) -> None:
    """One column: both figures of every row, joined by a thin line."""
    cells = [line.cells[column.name] for line in sheet.lines]
    for place, cell in enumerate(cells):
        _draw_cell(axes, place, cell, column)
    axes.set_ylim(len(cells) - 0.3, -0.7)
    axes.set_title(column.name, fontsize=8, color=INK, pad=3)
    axes.set_xlabel(column.unit.replace("10⁸", "10⁸ bit operations"), fontsize=7, labelpad=1)
    axes.tick_params(labelsize=7, length=2)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, color=RULE, linewidth=0.5, alpha=0.7)
    axes.set_axisbelow(True)
    most = _reach(cells)
    axes.set_xlim(-0.03 * most, 1.06 * most)
    axes.locator_params(axis="x", nbins=4)


def _reach(cells: list[Cell]) -> float:
    """How far a panel reaches: 100 for accuracies of a half and more, else as far as its marks and bars."""
    ends = [cell.published or 0.0 for cell in cells]
    ends += [cell.interval[1] if cell.interval else cell.measured for cell in cells if cell.measured is not None]
    most = max(ends)
    return 100.0 if most > 50 or most == 0 else most


def _draw_cell(axes: Axes, place: int, cell: Cell, column: Column) -> None:
    if cell.measured is not None and cell.published is not None:
        axes.plot([cell.published, cell.measured], [place, place], color=QUIET, linewidth=0.9, zorder=2)
    if cell.published is not None:
        axes.plot([cell.published], [place], **PUBLISHED, zorder=3)
    if cell.measured is not None:
        low, high = cell.interval or (cell.measured, cell.measured)
        bar = [[cell.measured - low], [high - cell.measured]] if cell.interval else None
        look = OURS if column.ours else MEASURED
        axes.errorbar([cell.measured], [place], xerr=bar, **look, elinewidth=0.9, zorder=4)
