"""Why there is nothing to select."""

from collections.abc import Sequence

from space.errors import UserError
from studies.limits import Limit
from studies.records import Record, complete_records
from studies.terms import Terms


def nothing_admitted(records: Sequence[Record], terms: Terms) -> UserError:
    """The complaint about records of which the terms admit none: it names the one that comes closest."""
    complete = complete_records(records)
    if not complete:
        hint = "run the search longer"
        return UserError("nothing to select from", got=f"{len(records)} records, none complete", hint=hint)
    trusted = [record for record in complete if terms.trusts(record.verdict)]
    if not trusted:
        hint = "a new study with --allow-masked admits them"
        return UserError("nothing to select from", got=f"{len(complete)} complete records, all masked", hint=hint)
    return _nothing_meets(trusted, terms.limits)


def _nothing_meets(trusted: Sequence[Record], limits: Sequence[Limit]) -> UserError:
    closest = min(trusted, key=lambda record: (_miss(record, limits), record.number))
    misses = [_told(closest, one) for one in limits if _misses(closest, one)]
    hint = f"closest is #{closest.number} {closest.candidate}: {', '.join(misses)}"
    return UserError("no record meets the limits", got=", ".join(map(str, limits)), hint=hint)


def _misses(record: Record, limit: Limit) -> bool:
    return limit.objective not in record.measurements or limit.broken_by(record.measurements)


def _miss(record: Record, limits: Sequence[Limit]) -> float:
    """How far a record is from meeting all limits, in fractions and doublings; infinite if unmeasured."""
    total = 0.0
    for limit in limits:
        measured = record.measurements.get(limit.objective)
        total += float("inf") if measured is None else max(0.0, limit.violation(measured.value))
    return total


def _told(record: Record, limit: Limit) -> str:
    measured = record.measurements.get(limit.objective)
    if measured is None:
        return f"{limit.objective} was not measured for {limit}"
    gap = abs(measured.value - limit.value)
    return f"{limit.objective} {measured.value:.4g} misses {limit} by {gap:.3g}"
