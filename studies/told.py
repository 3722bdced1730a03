"""What a sampler is told of a record."""

import math
from collections.abc import Sequence

from optuna.trial import TrialState

from evaluators.objectives import find_objectives
from studies.records import Record
from studies.terms import Terms

LEAST = 1e-9
"""Least violation told of a broken limit: a sampler takes 0 for met."""

MASKED = "masked"
"""Name of the constraint that a robust accuracy which is an over-estimate breaks, by 1: as much as a fraction can."""


def told(record: Record, objectives: Sequence[str]) -> tuple[TrialState, list[float] | None]:
    """State and values that Optuna is told.

    A duplicate is told what its twin was, or pruned, but never as failed: samplers ignore failures, and
    would propose it again for ever. Costs are told in log2, the scale on which they are compared.
    """
    if record.state == "failed":
        return TrialState.FAIL, None
    if record.state == "vetoed" or not all(name in record.measurements for name in objectives):
        return TrialState.PRUNED, None
    values = []
    for objective in find_objectives(objectives):
        value = record.measurements[objective.name].value
        values.append(math.log2(max(value, 1e-9)) if objective.stage == "cost" else value)
    return TrialState.COMPLETE, values


def constraints(record: Record, objectives: Sequence[str], terms: Terms) -> dict[str, float]:
    """Constraint values by name, above 0 where broken: every limit that was measured, and MASKED where it was judged.

    A pruned trial has at least one above 0, so that samplers sort it behind all others.
    """
    values: dict[str, float] = {}
    for limit in terms.limits:
        if (measured := record.measurements.get(limit.objective)) is not None:
            violation = limit.violation(measured.value)
            broken = limit.broken_by(record.measurements)
            values[str(limit)] = max(violation, LEAST) if broken else min(violation, 0.0)
    if record.verdict != "unchecked" and not terms.allow_masked:
        values[MASKED] = 0.0 if terms.trusts(record.verdict) else 1.0
    pruned = told(record, objectives)[0] == TrialState.PRUNED
    return values | ({"fails": 1.0} if pruned and not any(value > 0 for value in values.values()) else {})
