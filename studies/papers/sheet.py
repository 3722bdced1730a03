"""A table filled in: every cell that is known, and how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from studies.papers.reproduction import Reproduction
from studies.papers.results import Result
from studies.papers.setup import Setup
from studies.papers.stand_in import LABEL
from studies.papers.statistics import Cell, make_cell
from studies.papers.table import Column, Row


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row with its cells.

    Attributes:
        row: of the table.
        cells: by column.
        seconds: mean wall time of a seed, None where nothing was measured.
        trained: networks trained for it over all seeds; the others came from the cache.
    """

    row: Row
    cells: Mapping[str, Cell]
    seconds: float | None
    trained: int


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table beside what was measured.

    Attributes:
        setup: of the reproduction.
        checksum: identity of its images.
        lines: one per row of the table, in its order.
        results: everything that the lines were made of.
    """

    setup: Setup
    checksum: str
    lines: tuple[Line, ...]
    results: tuple[Result, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns."""
        return self.setup.design.columns

    @property
    def warning(self) -> str:
        """What a reader must not overlook, or ""."""
        if not self.setup.stand_in:
            return ""
        if self.setup.design.dataset == "mnist":
            return "STAND-IN DATA: 5,000 bundled images of MNIST; figures compare with nothing"
        return LABEL

    @property
    def data(self) -> str:
        """The data set without its folders."""
        return Path(self.setup.dataset.removeprefix("folder:")).name

    def facts(self) -> dict[str, str]:
        """How it was made: scale, budget, data, machine, versions, dates."""
        setup, table = self.setup, self.setup.design
        dates = sorted(result.date for result in self.results)
        return {
            "scale": f"{setup.scale.name}: {setup.scale.budget(table)}",
            "paper's schedule": f"{table.epochs} epochs on {table.dataset}, {table.network}",
            "data": f"{self.data} (checksum {self.checksum})",
            "training ε": f"{table.epsilon:.4g}",
            "machine": "; ".join(distinct(_machine(result.machine) for result in self.results)) or str(setup.machine),
            "versions": "; ".join(distinct(_pairs(result.versions) for result in self.results)) or "nothing measured",
            "date": " to ".join(distinct((dates[0], dates[-1]))) if dates else "nothing measured",
        }


def make_sheet(reproduction: Reproduction) -> Sheet:
    """Join every stored result of this setup, of all seeds."""
    table = reproduction.setup.design
    found: list[Result] = []
    lines = []
    for row in table.rows:
        results = [one for job in reproduction.jobs([row]) if (one := reproduction.result(job))]
        found += results
        lines.append(_line(row, table.columns, results))
    setup, checksum = reproduction.setup, reproduction.protocol.checksum
    return Sheet(setup=setup, checksum=checksum, lines=tuple(lines), results=tuple(found))


def distinct(texts: Iterable[str]) -> list[str]:
    """Each text once, in the order of its first place."""
    return list(dict.fromkeys(texts))


def _line(row: Row, columns: Sequence[Column], results: Sequence[Result]) -> Line:
    cells = {
        column.name: make_cell(
            row.figures.get(column.name), [one.measurements[column.name] for one in results], column.scale
        )
        for column in columns
    }
    seconds = fmean(one.seconds for one in results) if results else None
    return Line(row=row, cells=cells, seconds=seconds, trained=sum(one.trained for one in results))


def _machine(machine: Mapping[str, Any]) -> str:
    gpu = f"{machine['gpu']}, " if machine.get("gpu") else ""
    return f"{gpu}{machine['cores']} cores of {machine['processor']}"


def _pairs(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
