"""Reproduced tables on the screen and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.console import say, say_json, table
from search.tables.narrow import print_table
from studies import TABLES, Sheet, cell_records, find_scale, heading


def file_of(sheet: Sheet, ending: str) -> Path:
    """Where the table lies as Markdown, CSV or PNG."""
    return sheet.setup.folder / f"{sheet.setup.table}.{ending}"


def document(sheet: Sheet) -> dict[str, Any]:
    """All cells, and how they came about."""
    return {
        "table": sheet.setup.table,
        "title": sheet.setup.design.title,
        "paper": sheet.setup.design.paper,
        "stand_in": sheet.setup.stand_in,
        "files": [str(file_of(sheet, ending)) for ending in ("md", "csv", "png")],
        "how": sheet.facts(),
        "cells": list(cell_records(sheet)),
    }


def print_sheet(sheet: Sheet) -> None:
    """A row per network: measured, and published in brackets."""
    design = sheet.setup.design
    grid = table(f"{design.name}: {design.title}", ("row", "candidate", *map(heading, sheet.columns)), left=2)
    records: dict[str, list[str]] = {}
    for one in cell_records(sheet):
        records.setdefault(one["row"], [one["candidate"]]).append(_short(one))
    for row, cells in records.items():
        grid.add_row(row, *cells)
    print_table(grid)
    for line in filter(None, (sheet.warning, "measured (published), accuracies in %; †: not in the paper")):
        say(line)
    say(f"files: {', '.join(document(sheet)['files'])}")


def _short(cell: dict[str, Any]) -> str:
    digits = 1 if cell["unit"] == "%" else 2
    measured = "–" if cell["measured"] is None else f"{cell['measured']:.{digits}f}"
    return measured if cell["published"] is None else f"{measured} ({cell['published']:.2f})"


def list_tables(*, as_json: bool) -> None:
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
    if as_json:
        say_json(tables)
    else:
        _print_list(tables)


def _print_list(tables: Sequence[dict[str, Any]]) -> None:
    grid = table("tables", ("table", "paper", "title", "rows", "short takes"), left=3)
    for one in tables:
        grid.add_row(one["table"], one["paper"], one["title"], str(len(one["rows"])), one["short"])
    print_table(grid)
    say("D2 stands for both of its tables, all for every table; times are of a processor of two cores")
