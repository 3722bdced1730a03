"""`reproduce TABLE`: a table of a paper, trained and attacked again, published beside measured."""

import shlex
import time
from argparse import Namespace
from dataclasses import dataclass
from typing import Any

from evaluators.base import check_range
from search.console import note, say_json
from search.formats import clock
from search.opening import gpu_name
from search.tables.sheets import document, file_of, list_tables, print_sheet
from space.errors import UserError, unwritable
from space.shown import counted
from studies import (
    Finished,
    Reproduction,
    Row,
    Scale,
    Setup,
    Sheet,
    Table,
    choose_data,
    choose_rows,
    find_scale,
    find_tables,
    make_sheet,
    this_machine,
    usual_jobs,
    write_reproduction,
)

DONE = 0
LIST = "list"


def execute(args: Namespace) -> int:
    """List the tables, or measure what is missing of those named and write them."""
    if args.table in (None, LIST):
        list_tables(as_json=args.json)
        return DONE
    documents: list[dict[str, Any]] = []
    failed: list[Finished] = []
    for order in _orders(args):
        sheet = _fulfil(order, args, failed)
        documents.append(document(sheet))
        if not args.json:
            print_sheet(sheet)
    if args.json:
        say_json(documents)
    if failed:
        reasons = "; ".join(f"{one.job}: {one.reason}" for one in failed)
        raise UserError(
            f"{counted(len(failed), 'row')} failed", hint=f"the rest is kept, the same command tries again; {reasons}"
        )
    return DONE


@dataclass(frozen=True, kw_only=True)
class Order:
    """Rows of one table to measure at one scale."""

    table: Table
    scale: Scale
    rows: tuple[Row, ...]


def _orders(args: Namespace) -> list[Order]:
    """What the words ask for, all of it checked before anything is loaded."""
    if args.jobs is not None:
        check_range("--jobs", args.jobs, 1, 1_000)
    tables = {one.name: one for one in find_tables(args.table)}
    rows = choose_rows(tuple(tables.values()), args.rows)
    return [
        Order(table=tables[name], scale=find_scale(args.scale, tables[name], args.seeds), rows=chosen)
        for name, chosen in rows.items()
    ]


def _fulfil(order: Order, args: Namespace, failed: list[Finished]) -> Sheet:
    """Measure what is missing, and write the table even where that is interrupted."""
    setup = _setup(order, args)
    reproduction = _open(setup, args)
    pending = reproduction.pending(order.rows)
    progress = _Progress(order, len(pending))
    note(progress.opening(setup, len(reproduction.jobs(order.rows))))
    try:
        reproduction.run(pending, args.jobs or usual_jobs(setup), progress.show)
    except KeyboardInterrupt:
        note(f"interrupted; finished rows are kept, resume with: {args.program} {shlex.join(args.words)}")
        raise
    finally:
        sheet = make_sheet(reproduction)
        _write(sheet)
    failed += progress.failed
    return sheet


def _setup(order: Order, args: Namespace) -> Setup:
    dataset, stand_in = choose_data(order.table, order.scale, args.dataset, args.out)
    return Setup(
        table=order.table.name,
        scale=order.scale,
        dataset=dataset,
        stand_in=stand_in,
        folder=args.out,
        machine=this_machine(gpu_name(args.device)),
        device=args.device,
        cache=args.cache,
        data_root=args.data_root,
        download=args.download,
    )


def _open(setup: Setup, args: Namespace) -> Reproduction:
    """Load the data; a public set that is not there may as well come from a file."""
    try:
        return Reproduction(setup)
    except UserError as error:
        if args.dataset is not None or "absent" not in error.what:
            raise
        hint = f"{error.hint}, and --dataset FILE.npz takes the set from a file"
        raise UserError(error.what, got=setup.dataset, hint=hint) from error


class _Progress:
    """A line on stderr per finished row."""

    def __init__(self, order: Order, total: int) -> None:
        self._order, self._total, self._began = order, total, time.monotonic()
        self.failed: list[Finished] = []
        self._done = 0

    def opening(self, setup: Setup, every: int) -> str:
        """What is about to happen."""
        scale, name = self._order.scale, self._order.table.name
        parts = [f"{name} at scale {scale.name}: {scale.budget(self._order.table)}"]
        parts += [f"takes {scale.time} on two cores"] if scale.time else []
        parts += [f"{every - self._total} of {every} rows are there already"] if every > self._total else []
        parts += ["on stand-in data"] if setup.stand_in else []
        return "; ".join(parts)

    def show(self, finished: Finished) -> None:
        """Tell of a row that ended."""
        self._done += 1
        elapsed = time.monotonic() - self._began
        left = elapsed / self._done * (self._total - self._done)
        head = f"[{self._done}/{self._total} rows, {clock(elapsed)}, {clock(left)} left] {finished.job}: "
        if finished.result is None:
            self.failed.append(finished)
            note(f"{head}failed, {finished.reason}")
            return
        columns = self._order.table.columns
        values = (f"{one.name} {finished.result.measurements[one.name].value / one.scale:.4g}" for one in columns)
        note(head + ", ".join(values))


def _write(sheet: Sheet) -> None:
    """TABLE.md, TABLE.csv and TABLE.png."""
    from search.plots import draw_reproduction, save

    paths = write_reproduction(sheet)
    try:
        save(draw_reproduction(sheet), file_of(sheet, "png"))
    except OSError as error:
        raise unwritable(paths["csv"].parent, error) from error
