"""Tables where there is no room for them: figures that end at the edge of the screen would be other figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.console import NARROWEST, console
from space.shown import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Column, Table
    from rich.text import Text


def print_table(grid: Table) -> None:
    """Print a table of `console.table`, or a list of each of its rows where a figure would be cut."""
    screen = console()
    screen.print(grid if _fits(screen, grid) else _lists(grid))


def _fits(screen: Console, grid: Table) -> bool:
    """Whether there is room for all figures, and for names of NARROWEST letters a line."""
    room = screen.options.update(max_width=10 * screen.width)
    spared = sum(max(0, _widest(column) - NARROWEST) for column in grid.columns if not column.no_wrap)
    return screen.measure(grid, options=room).maximum - spared <= screen.width


def _widest(column: Column) -> int:
    from rich.cells import cell_len

    return max((cell_len(str(cell)) for cell in (column.header, *column.cells)), default=0)


def _lists(grid: Table) -> Table:
    """The names of each row, and below them what it says, each value after its heading; blanks are left out."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table

    lists = Table.grid()
    lists.title, lists.title_justify, lists.title_style = grid.title, grid.title_justify, grid.title_style
    names, figures = ([one for one in grid.columns if one.no_wrap == cut] for cut in (False, True))
    for place, row in enumerate(grid.rows):
        lists.add_row(Group(_said(names, place), Padding(_said(figures, place), (0, 0, 0, 3))), style=row.style)
    return lists


def _said(columns: Sequence[Column], place: int) -> Text:
    """What columns say of a row; figures after their headings."""
    from rich.text import Text

    pairs = [(one, [*one.cells][place]) for one in columns]
    return Text("  ").join(Text.assemble(_heading(one), _text(cell)) for one, cell in pairs if str(cell))


def _heading(column: Column) -> str:
    return f"{printable(str(column.header))} " if column.no_wrap and str(column.header) else ""


def _text(cell: RenderableType) -> Text:
    from rich.text import Text

    return cell if isinstance(cell, Text) else Text(printable(str(cell)))
