"""What a sampler is told of a record."""

import math

from optuna.trial import TrialState

from evaluators.objectives import find_objectives
from studies.config import StudyConfig
from studies.records import Record
from studies.stages.hope import at_most

LEAST = 1e-9
"""Least violation told of a broken limit: a sampler takes 0 for met."""

MASKED = "masked"
"""Name of the constraint that a robust accuracy which is an over-estimate breaks, by 1: as much as a fraction can."""


def told(record: Record, config: StudyConfig) -> tuple[TrialState, list[float] | None]:
    """State and values that Optuna is told.

    A duplicate is told what its twin was, or pruned, but never as failed: samplers ignore failures, and
    would propose it again for ever. Costs are told in log2, the scale on which they are compared. What was stopped has
    the best values that it could still have had, which are behind the front, or with a margin hardly ahead of it: every
    sampler learns from that, while some do not see what is pruned. It is pruned where there is no bound yet, at a rung.
    """
    if record.state == "failed":
        return TrialState.FAIL, None
    found = [_value(record, name) for name in config.objectives]
    if record.state == "vetoed" or None in found:
        return TrialState.PRUNED, None
    values = [one for one in found if one is not None]
    scaled = zip(find_objectives(config.objectives), values, strict=True)
    return TrialState.COMPLETE, [math.log2(max(value, 1e-9)) if one.stage == "cost" else value for one, value in scaled]


def _value(record: Record, name: str) -> float | None:
    """What was measured, or what stands for it."""
    source = at_most(record.measurements, name) or name
    return record.measurements[source].value if source in record.measurements else None


def constraints(record: Record, config: StudyConfig) -> dict[str, float]:
    """Constraint values by name, above 0 where broken: every limit that was measured, and MASKED where it was judged.

    A pruned trial has at least one above 0, so that samplers sort it behind all others.
    """
    values: dict[str, float] = {}
    terms = config.terms
    for limit in terms.limits:
        if (measured := record.measurements.get(limit.objective)) is not None:
            violation = limit.violation(measured.value)
            broken = limit.broken_by(record.measurements)
            values[str(limit)] = max(violation, LEAST) if broken else min(violation, 0.0)
    if record.verdict != "unchecked" and not terms.allow_masked:
        values[MASKED] = 0.0 if terms.trusts(record.verdict) else 1.0
    pruned = told(record, config)[0] == TrialState.PRUNED
    return values | ({"fails": 1.0} if pruned and not any(value > 0 for value in values.values()) else {})
