"""What other commands left in a study's folder: tables of diagnostics, and an audit."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators import DIAGNOSTICS
from evaluators.base import Measurement
from studies.lock import UNREADABLE

if TYPE_CHECKING:
    from evaluators import Table
    from evaluators.diagnostics.catalogue import Diagnostic

Cell = str | int | float
WORDS = ("layer", "kind", "attack", "place")
"""Columns of words; all others hold numbers."""


def diagnostics_folder(study: Path, number: int) -> Path:
    """Where the report looks for the diagnostics of a trial's candidate."""
    return study / "diagnostics" / str(number)


def tables_in(folder: Path) -> dict[str, Table]:
    """The tables that `diagnose` left in a folder, by name; what is not there or can't be read is left out."""
    found = {name: _table(folder / f"{name}.csv", one) for name, one in DIAGNOSTICS.items()}
    return {name: table for name, table in found.items() if table}


def audited_in(study: Path) -> dict[int, dict[str, Any]]:
    """What an audit found, by number of the trial; nothing where there was none or its file can't be read."""
    try:
        document = json.loads((study / "audit.json").read_text(encoding="utf-8"))
        return {int(one["number"]): _entry(one) for one in document["entries"] if one["number"] is not None}
    except UNREADABLE:
        return {}


def _entry(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "candidate": str(one["candidate"]),
        "verdict": str(one["verdict"]),
        "clean": Measurement.from_json(one["clean"]),
        "worst": Measurement.from_json(one["worst"]),
        "images": int(one["worst"]["n"]),
    }


def _table(path: Path, diagnostic: Diagnostic) -> Table | None:
    """The table in a file; None where there is none, or it is no table of this diagnostic."""
    from evaluators import Table

    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        cells = tuple(_cells(diagnostic.columns, row) for row in rows)
    except (OSError, ValueError, csv.Error):
        return None
    whole = tuple(header) == diagnostic.columns and cells
    return Table(name=diagnostic.name, columns=diagnostic.columns, rows=cells) if whole else None


def _cells(columns: Sequence[str], row: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(_cell(column, text) for column, text in zip(columns, row, strict=True))


def _cell(column: str, text: str) -> Cell:
    if column in WORDS:
        return text
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{column} is {text}")
    return int(value) if value.is_integer() and "." not in text and "e" not in text else value
