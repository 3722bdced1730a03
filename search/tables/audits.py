"""What an audit found: as a table, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluators import rules_in
from evaluators.base import Measurement
from evaluators.objectives import find_objectives
from search.console import say, table
from search.formats import bounded
from search.tables.narrow import print_table
from space.shown import csv_text
from studies import Record, non_dominated

if TYPE_CHECKING:
    from evaluators.robustness.verification.verified import Verified

AGAIN = {"acc": "clean", "certified": "certified", "pgd_naive": "naive", "pgd": "worst"}
"""Objectives that an audit measures anew, and what `Verified` calls them."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One audited candidate.

    Attributes:
        verified: what was found.
        record: its trial; None where a candidate was named itself.
    """

    verified: Verified
    record: Record | None = None

    @property
    def name(self) -> str:
        """Its trial and its text."""
        return f"#{self.record.number} {self.record.candidate}" if self.record else self.verified.candidate

    def values(self, objectives: Sequence[str]) -> list[float]:
        """Values of the objectives: those of the audit where it has them, else those of the trial."""
        known = {} if self.record is None else {name: one.value for name, one in self.record.measurements.items()}
        known |= {name: getattr(self.verified, attribute).value for name, attribute in AGAIN.items()}
        return [known[name] for name in objectives]


def still_best(entries: Sequence[Entry], objectives: Sequence[str]) -> list[bool]:
    """Which entries no other one dominates, by the values of the audit."""
    import numpy as np

    points = np.array([entry.values(objectives) for entry in entries], dtype=np.float64)
    keep = non_dominated(points, [one.maximize for one in find_objectives(objectives)])
    return [bool(one) for one in keep]


def entries_json(entries: Sequence[Entry], keep: Sequence[bool]) -> list[dict[str, Any]]:
    """Everything of every entry."""
    return [
        {"number": one.record and one.record.number, **one.verified.to_json(), "non_dominated": kept}
        for one, kept in zip(entries, keep, strict=True)
    ]


def falls(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """How many entries fell by more than their interval, and how far all of them fell; None where none could."""
    found = [(entry.verified.fall, entry) for entry in entries]
    known = [(fall, entry) for fall, entry in found if fall is not None]
    if not known:
        return None
    worst, entry = max(known, key=lambda pair: pair[0].points)
    return {
        "entries": len(known),
        "beyond_chance": sum(fall.beyond_chance for fall, _ in known),
        "mean": sum(fall.points for fall, _ in known) / len(known),
        "worst": worst.points,
        "worst_entry": entry.name,
    }


def sentences(entries: Sequence[Entry], keep: Sequence[bool]) -> list[str]:
    """What it all comes to."""
    told, found = [], falls(entries)
    if found:
        told.append(
            f"{found['beyond_chance']} of {found['entries']} fell by more than the 95 % interval of their fall; "
            f"the mean fall is {_points(found['mean'])}, the worst {_points(found['worst'])} ({found['worst_entry']})"
        )
    beaten = [one.name for one, kept in zip(entries, keep, strict=True) if not kept]
    if len(entries) > 1:
        told.append("no longer non-dominated: " + (", ".join(beaten) or "none"))
    return told


def print_audit(entries: Sequence[Entry], keep: Sequence[bool], title: str) -> None:
    """A row per entry, and what it all comes to."""
    columns = ("trial", "candidate", "pgd in the search", "pgd verified, 95 %", "fell by", "verdict")
    grid = table(title, columns, left=2)
    for one in entries:
        found = one.verified
        rules = ", ".join(rules_in(found.worst.flags))
        grid.add_row(
            str(one.record.number) if one.record else "",
            found.candidate,
            _percent(found.searched),
            _percent(found.worst),
            "–" if found.fall is None else _points(found.fall.points),
            f"{found.verdict} ({rules})" if rules else found.verdict,
        )
    print_table(grid)
    for line in sentences(entries, keep):
        say(line)


def audit_csv(entries: Sequence[Entry], keep: Sequence[bool]) -> str:
    """A row per entry, fractions in full precision."""
    accuracies = [f"{name}{end}" for name in ("searched", "verified") for end in ("", "_low", "_high")]
    header = ["number", "candidate", *accuracies, "fell_by", "fell_low", "fell_high", *AGAIN]
    rows = (_row(one, kept) for one, kept in zip(entries, keep, strict=True))
    return csv_text([*header, "verdict", "rules", "non_dominated"], rows)


def _row(entry: Entry, kept: bool) -> list[object]:
    """The cells of an entry."""
    found, fall = entry.verified, entry.verified.fall
    return [
        "" if entry.record is None else entry.record.number,
        found.candidate,
        *_cells(found.searched),
        *_cells(found.worst),
        *(["", "", ""] if fall is None else [fall.points, *fall.interval]),
        *(getattr(found, attribute).value for attribute in AGAIN.values()),
        found.verdict,
        " ".join(rules_in(found.worst.flags)),
        kept,
    ]


def _cells(one: Measurement | None) -> list[object]:
    return ["", "", ""] if one is None else [one.value, *one.interval]


def _percent(one: Measurement | None) -> str:
    """A fraction with its 95 % interval: 12.5 % [8.6, 17.8]."""
    return "–" if one is None else bounded(one)


def _points(fraction: float) -> str:
    return f"{100 * fraction:.1f} points"
