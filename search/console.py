"""Tables and lines for a person; rich is imported when the first one is printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from evaluators.objectives import OBJECTIVES
from search.formats import bounded, measured, probability
from search.tables.verdicts import columns, in_words
from space.shown import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evaluators.base import Measurement
    from search.tables.verdicts import Cells
    from studies.records import Record

NARROWEST = 12
"""Letters a line that a candidate is broken into at worst; with less room, records are lists instead of rows."""

PIPED = 160
"""Width of what no terminal shows; wide enough that candidates are not broken for grep."""


def console(stream: TextIO | None = None) -> Console:
    """A console on stdout (or `stream`) that prints texts as they are, with colour on terminals only.

    What would steer a terminal is not printed.
    """
    file = stream or sys.stdout
    width = None if file.isatty() or "COLUMNS" in os.environ else PIPED
    return _screen()(file=file, width=width, markup=False, highlight=False, emoji=False)


@cache
def _screen() -> type[Console]:
    from rich.console import Console
    from rich.text import Text

    class Screen(Console):
        """A console on which no cell, title or heading can steer the terminal."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str("\n".join(map(printable, text.split("\n"))), **options)

        def on_broken_pipe(self) -> None:
            """Let the program end as it does wherever nobody reads; rich would end it as if it had failed."""
            raise  # rich calls this while it handles the BrokenPipeError

    return Screen


def note(text: str) -> None:
    """One line of progress or advice on stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Lines of the result on stdout."""
    print("\n".join(map(printable, text.split("\n"))))


def say_json(data: object) -> None:
    """The result on stdout as JSON, in ASCII: escaped, no sign of any text reaches the terminal."""
    print(json.dumps(data, indent=2))


def table(title: str, columns: Sequence[str], left: int = 1) -> Table:
    """An empty table with thin rules; the first `left` columns are flush left, the others flush right."""
    from rich import box
    from rich.table import Table

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        flush = index < left
        grid.add_column(name, justify="left" if flush else "right", no_wrap=not flush, overflow="fold")
    return grid


def front_table(
    screen: Console,
    records: Sequence[Record],
    objectives: Sequence[str],
    chosen: int | None = None,
    title: str = "",
    sure: Mapping[int, float] | None = None,
) -> Table:
    """Records as rows: the selected one is marked with ">" and set bold.

    `sure` is the probability of being on the front by number; there is no column of it where that is not known.
    Beside the objectives stands what judges robustness: on a narrow screen, the verdict alone. Robust accuracies have
    their 95 % interval in brackets where there is room; other errors, and all on a narrow screen, are standard errors.
    Where not even that fits, each record is its candidate and a line of values, broken where the screen ends: a row
    would lose the candidate, and figures their ends.
    """
    beside = {} if sure is None else {"P(front)": lambda record: probability(sure.get(record.number))}
    judging = beside | columns(records, objectives)
    grid = _rows(records, objectives, chosen, judging)
    room = screen.options.update(max_width=10 * screen.width)
    if screen.measure(grid, options=room).maximum > screen.width:
        judging = beside | columns(records, objectives, narrow=True)
        grid = _rows(records, objectives, chosen, judging, narrow=True)
        grid.padding = (0, 1, 0, 0)
        spared = max(0, max((len(record.candidate) for record in records), default=0) - NARROWEST)
        if screen.measure(grid, options=room).maximum - spared > screen.width:
            grid = _lists(records, objectives, chosen, judging)
    grid.title = title or None
    return grid


def _rows(
    records: Sequence[Record], objectives: Sequence[str], chosen: int | None, judging: Cells, *, narrow: bool = False
) -> Table:
    """A row per record, with what was measured and what judges it."""
    grid = table("", ("", "trial", "candidate", *objectives, *judging), left=3)
    for record in records:
        mine = record.number == chosen
        cells = [_cell(name, record.measurements[name], narrow) for name in objectives]
        judged = [cell(record) for cell in judging.values()]
        mark = ">" if mine else ""
        grid.add_row(mark, str(record.number), record.candidate, *cells, *judged, style="bold" if mine else None)
    return grid


def _lists(records: Sequence[Record], objectives: Sequence[str], chosen: int | None, judging: Cells) -> Table:
    """What a narrow row says, each value after its name."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(show_header=False, box=None, pad_edge=False, title_justify="left", title_style="bold")
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for record in records:
        mine = record.number == chosen
        values = [Text(f"{name} {_cell(name, record.measurements[name], narrow=True)}") for name in objectives]
        values += [Text.assemble(f"{name} ", cell(record)) for name, cell in judging.items()]
        what = Text.assemble(f"#{record.number} {printable(record.candidate)}\n", Text("  ").join(values))
        grid.add_row(">" if mine else "", what, style="bold" if mine else None)
    return grid


def _cell(name: str, measurement: Measurement, narrow: bool) -> str:
    """The interval of a robust accuracy has a width even where nothing stands, which a standard error has not."""
    robust = OBJECTIVES[name].stage == "attack"
    return bounded(measurement) if robust and not narrow else measured(measurement)


def by_cost(records: Iterable[Record], objectives: Sequence[str]) -> list[Record]:
    """Records from cheap to dear, as pictures have them; by the first objective where none is a cost."""
    first = min(objectives, key=lambda name: OBJECTIVES[name].maximize)
    return sorted(records, key=lambda record: (record.measurements[first].value, record.number))


def summary(record: Record, objectives: Sequence[str]) -> str:
    """A record in one line: its candidate, what was measured of it, and whether its robustness can be believed."""
    known = [name for name in objectives if name in record.measurements]
    values = [f"{name} {measured(record.measurements[name])}" for name in known]
    return "  ".join((record.candidate, *values, *in_words(record, known)))
