"""`reproduce TABLE`: a table of a paper, trained and attacked again, published beside measured."""

import json
import shlex
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.base import check_range
from search.console import console, note, table
from search.formats import clock
from search.opening import gpu_name
from space.errors import UserError
from studies import (
    TABLES,
    Finished,
    Reproduction,
    Row,
    Scale,
    Setup,
    Sheet,
    Table,
    cell_records,
    choose_data,
    choose_rows,
    find_scale,
    find_tables,
    heading,
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
        return _list(args)
    documents: list[dict[str, Any]] = []
    failed: list[Finished] = []
    for order in _orders(args):
        sheet = _fulfil(order, args, failed)
        documents.append(_document(sheet))
        if not args.json:
            _print(sheet)
    if args.json:
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    if failed:
        reasons = "; ".join(f"{one.job}: {one.reason}" for one in failed)
        raise UserError(f"{len(failed)} rows failed", hint=f"the rest is kept, the same command tries again; {reasons}")
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
        save(draw_reproduction(sheet), picture_of(sheet))
    except OSError as error:
        raise UserError("folder that can't be written", got=str(paths["csv"].parent), hint=str(error)) from error


def picture_of(sheet: Sheet) -> Path:
    """Where the picture lies."""
    return sheet.setup.folder / f"{sheet.setup.table}.png"


def _document(sheet: Sheet) -> dict[str, Any]:
    """All cells, and how they came about."""
    name, folder = sheet.setup.table, sheet.setup.folder
    return {
        "table": name,
        "title": sheet.setup.design.title,
        "paper": sheet.setup.design.paper,
        "stand_in": sheet.setup.stand_in,
        "files": [str(folder / f"{name}.{ending}") for ending in ("md", "csv", "png")],
        "how": sheet.facts(),
        "cells": list(cell_records(sheet)),
    }


def _print(sheet: Sheet) -> None:
    """A row per network: measured, and published in brackets."""
    design = sheet.setup.design
    grid = table(f"{design.name}: {design.title}", ("row", "candidate", *map(heading, sheet.columns)), left=2)
    records: dict[str, list[str]] = {}
    for one in cell_records(sheet):
        records.setdefault(one["row"], [one["candidate"]]).append(_short(one))
    for row, cells in records.items():
        grid.add_row(row, *cells)
    console().print(grid)
    for line in filter(None, (sheet.warning, "measured (published), accuracies in %; †: not in the paper")):
        print(line)
    print(f"files: {', '.join(_document(sheet)['files'])}")


def _short(cell: dict[str, Any]) -> str:
    digits = 1 if cell["unit"] == "%" else 2
    measured = "–" if cell["measured"] is None else f"{cell['measured']:.{digits}f}"
    return measured if cell["published"] is None else f"{measured} ({cell['published']:g})"


def _list(args: Namespace) -> int:
    """Every table with its paper, size and time."""
    tables = [
        {
            "table": one.name,
            "title": one.title,
            "paper": one.paper,
            "dataset": one.dataset,
            "network": one.network,
            "rows": [row.name for row in one.rows],
            "columns": [column.name for column in one.columns],
            "figures": sum(len(row.figures) for row in one.rows),
            "short": find_scale("short", one).time,
        }
        for one in TABLES.values()
    ]
    if args.json:
        print(json.dumps(tables, indent=2, ensure_ascii=False))
        return DONE
    _print_list(tables)
    return DONE


def _print_list(tables: Sequence[dict[str, Any]]) -> None:
    grid = table("tables", ("table", "paper", "title", "rows", "short takes"), left=3)
    for one in tables:
        grid.add_row(one["table"], one["paper"], one["title"], str(len(one["rows"])), one["short"])
    console().print(grid)
    print("D2 stands for both of its tables, all for every table; times are of a processor of two cores")
