"""How robustness is judged, on the screen: verdicts in colour, the masking gap, and where the rules are explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from evaluators.verdict import JUDGED, Verdict
from search.formats import number, points

if TYPE_CHECKING:
    from rich.text import Text

    from studies import Record

    Cells = dict[str, Callable[[Record], Text | str]]

STYLES: dict[Verdict, str] = {"ok": "green", "suspect": "yellow", "masked": "red", "invalid": "red"}
COMPANIONS = (JUDGED, "pgd_naive")
"""What is shown beside a verdict."""
RULES = "docs/robustness_flags.md"
"""Where every rule has a heading of its name."""


def styled(verdict: Verdict) -> Text:
    """The verdict, for a cell of a table; coloured on terminals only."""
    from rich.text import Text

    return Text(verdict, style=STYLES.get(verdict, ""))


def columns(records: Sequence[Record], shown: Sequence[str], *, narrow: bool = False) -> Cells:
    """The cells that judge robustness, by column; none if no record was attacked for it.

    Args:
        records: rows of the table.
        shown: names that have a column already.
        narrow: whether there is room for the verdict only.
    """
    if not any(JUDGED in record.measurements for record in records):
        return {}
    verdict: Cells = {"verdict": lambda record: styled(record.verdict)}
    if narrow:
        return verdict
    beside = {name: partial(_value, name=name) for name in COMPANIONS if name not in shown}
    return {**beside, "gap (points)": lambda record: points(record.gap), **verdict}


def in_words(record: Record, shown: Sequence[str]) -> list[str]:
    """The same in parts of a line: what is not shown yet, the gap, and the verdict with its rules."""
    if JUDGED not in record.measurements:
        return []
    known = [name for name in COMPANIONS if name in record.measurements and name not in shown]
    beside = [f"{name} {_value(record, name)}" for name in known]
    gap = [] if record.gap is None else [f"gap {points(record.gap)} points"]
    rules = f": {', '.join(record.rules)}" if record.rules else ""
    return [*beside, *gap, f"{record.verdict}{rules}"]


def explained(rules: Iterable[str]) -> list[str]:
    """Where each rule that triggered is explained, a line each."""
    return [f"{rule}: see {RULES}#{rule}" for rule in rules]


def _value(record: Record, name: str) -> str:
    """A measurement without its error; "" where there is none."""
    one = record.measurements.get(name)
    return "" if one is None else number(one.value, one.unit)
