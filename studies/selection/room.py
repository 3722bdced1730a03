"""How far a limit could move before another record were chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from space.errors import UserError
from studies.limits import Limit
from studies.records import Record, feasible_records
from studies.selection.select import select
from studies.terms import Terms


@dataclass(frozen=True, kw_only=True)
class Room:
    """Where a limit may lie for the choice to stay as it is; with all other limits where they are.

    Attributes:
        limit: as it was given.
        tightest: the last value that leaves the choice as it is; anything tighter changes it.
        tighter: what is chosen then; None for nothing.
        loosest: the first value that changes the choice, anything before leaves it; None where none does.
        looser: what is chosen then.
    """

    limit: Limit
    tightest: float
    tighter: Record | None
    loosest: float | None
    looser: Record | None


def room_of(limit: Limit, records: Sequence[Record], objectives: Sequence[str], terms: Terms, rule: str | None) -> Room:
    """Move a limit to where records come in and drop out, until the choice changes.

    Between two neighbouring values of the records, nothing changes: so what is found is exact.

    Args:
        limit: one of the terms'; where the study has the same one, that stays where it is.
        records, objectives, terms, rule: of a selection that found something.
    """
    place = terms.limits.index(limit)
    rest = replace(terms, limits=(*terms.limits[:place], *terms.limits[place + 1 :]))
    measured = [one.measurements for one in feasible_records(records, rest)]
    values = sorted({one[limit.objective].value for one in measured if limit.objective in one})
    chosen = select(records, objectives, terms, rule).chosen.number

    def at(value: float) -> Record | None:
        try:
            moved = rest.tightened([replace(limit, value=value)])
            return select(records, objectives, moved, rule).chosen
        except UserError:  # nothing is admitted, or there is no knee
            return None

    inside = [one for one in values if not _beyond(limit, one)]
    outside = [one for one in values if _beyond(limit, one)]
    tightest, tighter = limit.value, None
    for value in reversed(inside) if limit.op == "<=" else inside:
        if (found := at(value)) is None or found.number != chosen:
            tighter = found
            break
        tightest = value
    for value in outside if limit.op == "<=" else reversed(outside):
        if (found := at(value)) is None or found.number != chosen:
            return Room(limit=limit, tightest=tightest, tighter=tighter, loosest=value, looser=found)
    return Room(limit=limit, tightest=tightest, tighter=tighter, loosest=None, looser=None)


def _beyond(limit: Limit, value: float) -> bool:
    return value > limit.value if limit.op == "<=" else value < limit.value
