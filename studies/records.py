"""Records: what a study knows of each trial, and the front among them."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, get_args

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import find_objectives, stage_of
from studies.averages import averages
from studies.fronts.pareto import Floats, non_dominated
from studies.judged import Judged
from studies.terms import USUAL, Terms

State = Literal["complete", "stopped", "vetoed", "failed", "duplicate"]
STATES: tuple[State, ...] = get_args(State)
"""Measured; stopped where the front beats it whatever comes; ended by a limit; its evaluation raised; its design was
tried before."""

Origin = Literal["", "design", "sampler", "pool", "model", "chance", "repeat"]
"""Who proposed it: not known (an earlier version), the first design, the sampler, the predictions among candidates of
known members or among others, chance where the sampler has nothing new, or nobody: a candidate that was measured before
is measured again by other seeds."""


@dataclass(frozen=True, kw_only=True)
class Record(Judged):
    """One finished trial.

    Attributes:
        number: of the trial in its study, from 0.
        candidate: canonical text form.
        key: the candidate's key.
        state: one of STATES; a complete record has every objective of its study.
        reason: why it is not complete, one line; "" if it is.
        measurements: by objective name, and by `rung_name` of what was measured before the end of the training; costs
            as soon as the candidate fits the network.
        seconds: wall time of the trial.
        at: running seconds of the study when the trial ended, over all resumes.
        origin: who proposed it.
        runs: how many trainings its measurements are the mean of.
    """

    number: int
    candidate: str
    key: str
    state: State
    reason: str = ""
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    seconds: float = 0.0
    at: float = 0.0
    origin: Origin = ""
    runs: int = 1

    @property
    def repeats(self) -> bool:
        """Whether it measures again what an earlier record is of; it is not counted among the trials then."""
        return self.origin == "repeat"

    @property
    def evaluated(self) -> bool:
        """Whether it was paid for: complete, failed, stopped, or vetoed after training (a veto by cost is free)."""
        if self.repeats:
            return False
        trained = any(stage_of(name) != "cost" for name in self.measurements)
        return self.state in ("complete", "failed", "stopped") or (self.state == "vetoed" and trained)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        measured = {name: one.to_json() for name, one in self.measurements.items()}
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"measurements": measured}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        measured = {name: Measurement.from_json(one) for name, one in data["measurements"].items()}
        return cls(**{**data, "measurements": measured})


def front(records: Iterable[Record], objectives: Sequence[str], terms: Terms = USUAL) -> list[Record]:
    """Pick the complete records that the terms admit and that no other such record dominates.

    Args:
        records: of one study, any states.
        objectives: names; every complete record has a measurement of each.
        terms: what a record must meet.
    Returns: one record per key, the first of them, by number; equal values are all kept.
    """
    feasible = feasible_records(records, terms)
    directions = [objective.maximize for objective in find_objectives(objectives)]
    keep = non_dominated(values_of(feasible, objectives), directions)
    return [record for record, kept in zip(feasible, keep, strict=True) if kept]


class GrowingFront:
    """The front of a study while its records come in, one by one; what `front` gives, without a look at the others.

    Args:
        objectives, terms: as in `front`.
        records: known before; read one by one, twice.
    """

    def __init__(self, objectives: Sequence[str], terms: Terms, records: Collection[Record] = ()) -> None:
        self._objectives, self._terms = objectives, terms
        self._signs = np.array([-1.0 if objective.maximize else 1.0 for objective in find_objectives(objectives)])
        self._members: list[Record] = []
        self._losses: Floats = np.empty((0, len(self._signs)))
        again, designs = _repetitions(records), set[str]()
        for record in records:
            if record.state == "complete" and not record.repeats and record.key not in designs:
                mean = _averaged(record, again.get(record.key, []))
                designs |= {record.key} if terms.admits(mean) else set()
                self.add(mean)

    @property
    def members(self) -> tuple[Record, ...]:
        """The front so far, by number."""
        return tuple(self._members)

    def renew(self, records: Collection[Record]) -> None:
        """Be the front of these records: repetitions change what came before."""
        fresh = GrowingFront(self._objectives, self._terms, records)
        self._members, self._losses = fresh._members, fresh._losses

    def add(self, record: Record) -> None:
        """Take in the record of one more trial; a design that came before is a duplicate by its state, or a repetition.

        Of repetitions only those count that were known before.
        """
        if record.state != "complete" or record.repeats or not self._terms.admits(record):
            return
        loss, others = values_of([record], self._objectives) * self._signs, self._losses
        if ((others <= loss).all(1) & (others < loss).any(1)).any():
            return
        left = ~((loss <= others).all(1) & (loss < others).any(1))
        kept = [one for one, stays in zip(self._members, left, strict=True) if stays]
        place = bisect_left(kept, record.number, key=lambda one: one.number)
        self._members = [*kept[:place], record, *kept[place:]]
        self._losses = np.insert(others[left], place, loss, axis=0)


def feasible_records(records: Iterable[Record], terms: Terms = USUAL) -> list[Record]:
    """Pick the complete records that the terms admit, the first of each key, by number; with the mean of its runs."""
    by_key: dict[str, Record] = {}
    for record in complete_records(records):
        if terms.admits(record):
            by_key.setdefault(record.key, record)
    return list(by_key.values())


def complete_records(records: Iterable[Record]) -> list[Record]:
    """Pick the complete records, by number, repetitions averaged into what they repeat."""
    complete = sorted((one for one in records if one.state == "complete"), key=lambda record: record.number)
    again = _repetitions(complete)
    return [_averaged(record, again.get(record.key, [])) for record in complete if not record.repeats]


def _repetitions(records: Iterable[Record]) -> dict[str, list[Record]]:
    """What was measured again, by the key of the design."""
    again: dict[str, list[Record]] = {}
    for record in records:
        if record.repeats and record.state == "complete":
            again.setdefault(record.key, []).append(record)
    return again


def _averaged(record: Record, others: Sequence[Record]) -> Record:
    if not others:
        return record
    measured = averages([record.measurements, *(one.measurements for one in others)])
    return replace(record, measurements=measured, runs=1 + len(others))


def values_of(records: Sequence[Record], objectives: Sequence[str]) -> Floats:
    """Values of the records, n x k in the objectives' units; KeyError where one was not measured."""
    rows = [[record.measurements[name].value for name in objectives] for record in records]
    return np.array(rows, dtype=np.float64).reshape(len(records), len(objectives))


def errors_of(records: Sequence[Record], objectives: Sequence[str]) -> Floats:
    """Standard errors of the records' values, n x k in the objectives' units; 0 for what is exact."""
    rows = [[record.measurements[name].stderr for name in objectives] for record in records]
    return np.array(rows, dtype=np.float64).reshape(len(records), len(objectives))
