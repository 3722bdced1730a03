"""What dashboards show of a trial: Optuna's user attributes, which nothing here reads back."""

from collections.abc import Sequence
from typing import Any

from evaluators.base import Measurement
from evaluators.objectives import Objective, find_objectives
from studies.records import Record


def axis_names(objectives: Sequence[Objective]) -> list[str]:
    """What the values that Optuna is told are called: names with units; costs are told in log2.

    >>> axis_names(find_objectives(["pgd", "bops"]))
    ['pgd (fraction)', 'log2 bops (bit-ops)']
    """
    return [f"{'log2 ' if one.stage == 'cost' else ''}{one.name} ({one.unit})" for one in objectives]


def shown(record: Record, objectives: Sequence[str]) -> dict[str, Any]:
    """What stands beside a trial: its candidate, how it ended, and what was measured, with standard errors.

    Args:
        record: of the trial.
        objectives: names; those that were measured are shown, in their units.
    Returns: values that JSON can hold, by name.
    """
    known = [one for one in find_objectives(objectives) if one.name in record.measurements]
    said = {
        "candidate": record.candidate,
        "state": record.state,
        "verdict": record.verdict,
        "seconds": round(record.seconds, 3),
    }
    said |= {"reason": record.reason} if record.reason else {}
    return said | {f"{one.name} ({one.unit})": _in_words(record.measurements[one.name]) for one in known}


def _in_words(one: Measurement) -> str:
    """A value with its standard error, where it has one, in full enough precision to be compared."""
    return f"{one.value:.6g} ± {one.stderr:.2g}" if one.stderr else f"{one.value:.6g}"
