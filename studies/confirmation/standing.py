"""What is left of a front once it was measured again: who stands, who fell, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from evaluators.objectives import find_objectives
from studies.averages import averages
from studies.confirmation.confirmed import ConfirmedRow, SeedResult
from studies.confirmation.plan import Plan
from studies.fronts.pareto import non_dominated
from studies.fronts.probability import front_probability
from studies.limits import first_broken
from studies.records import Record, values_of
from studies.terms import Terms


def judged(plan: Plan, results: Mapping[int, Sequence[SeedResult]]) -> tuple[ConfirmedRow, ...]:
    """The rows of a confirmation, and which of them are on its front.

    A candidate that fails by any seed is not on it, nor is one that breaks a limit or is masked; of the others, those
    that none of them beats by the means over seeds are.

    Args:
        plan: of the confirmation.
        results: by number, as many seeds as are finished.
    Returns: those on the front first, then by number.
    """
    rows = [_row(plan, record, tuple(results[record.number])) for record in plan.records]
    again = {row.number: _as_record(record, row) for record, row in zip(plan.records, rows, strict=True)}
    admitted = [again[row.number] for row in rows if not row.reason]
    sure = front_probability(admitted, plan.objectives, plan.terms, plan.protocol.seed)
    beaten = _beaten_by(admitted, plan.objectives)
    told = [
        replace(row, front_probability=sure[row.number], reason=beaten[row.number]) if row.number in sure else row
        for row in rows
    ]
    return tuple(sorted(told, key=lambda row: (not row.stands, row.number)))


def _row(plan: Plan, record: Record, results: tuple[SeedResult, ...]) -> ConfirmedRow:
    good = [one.measurements for one in results if not one.failure]
    row = ConfirmedRow(
        number=record.number,
        candidate=record.candidate,
        proxy=record.measurements,
        on_front=record.number in plan.front,
        proxy_probability=plan.sure.get(record.number),
        seeds=results,
        measurements=averages(good) if good else {},
    )
    return replace(row, reason=_inadmissible(plan.terms, row))


def _inadmissible(terms: Terms, row: ConfirmedRow) -> str:
    """Why a row cannot be on any front, or ""."""
    if failed := [f"by seed {one.seed}: {one.failure}" for one in row.seeds if one.failure]:
        return "; ".join(failed)
    if not row.measurements:
        return "not measured yet"
    if broken := first_broken(terms.limits, row.measurements):
        return f"{broken.objective} {row.measurements[broken.objective].value:.4g} breaks {broken}"
    if not terms.trusts(row.verdict):
        return f"{row.verdict}: {', '.join(row.rules)}"
    return ""


def _as_record(record: Record, row: ConfirmedRow) -> Record:
    """A row as a record of its own, for what judges records."""
    return replace(record, measurements=row.measurements, runs=1, origin="")


def _beaten_by(records: Sequence[Record], objectives: Sequence[str]) -> dict[int, str]:
    """What beats each record, in words; "" for nothing."""
    directions = [one.maximize for one in find_objectives(objectives)]
    values, found = values_of(records, objectives), dict[int, str]()
    for place, record in enumerate(records):
        rivals = [
            f"#{other.number}"
            for index, other in enumerate(records)
            if index != place and not non_dominated(values[[index, place]], directions)[1]
        ]
        found[record.number] = f"beaten by {', '.join(rivals)}" if rivals else ""
    return found
