"""More seeds where it is unsure: what may or may not be on the front is trained and attacked again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, runtime_checkable
from typing import Protocol as Interface

from optuna.trial import FrozenTrial, create_trial

from studies.config import StudyConfig
from studies.fronts.probability import front_probability
from studies.records import Record, feasible_records
from studies.samplers.told import constraints, told
from studies.trial import Evaluates, Outcome

UNSURE = (0.05, 0.95)
"""Probabilities of being on the front between which a record is measured again."""


@runtime_checkable
class Repeats(Evaluates, Interface):
    """What more seeds need of an evaluator."""

    def repeated(self, run: int) -> Evaluates:
        """The same protocol and images with trainings and attacks of other seeds; those of a run are always the same.

        Args:
            run: which repetition, from 2 on: the first run is the evaluator's own.
        """


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """One more measurement to make.

    Attributes:
        first: the record of the candidate's own trial.
        run: which measurement of the candidate it will be, from 2 on.
    """

    first: Record
    run: int

    def record(self, outcome: Outcome, trial: int, seconds: float, at: float) -> Record:
        """The record of the repetition, under the number of its own trial; times as in any record."""
        return replace(
            self.first,
            number=trial,
            state=outcome.state,
            reason=": ".join(filter(None, (f"run {self.run} of #{self.first.number}", outcome.reason))),
            measurements=outcome.measurements,
            seconds=seconds,
            at=at,
            origin="repeat",
            runs=1,
        )


def as_trial(record: Record, twin: FrozenTrial, config: StudyConfig, attributes: Mapping[str, Any]) -> FrozenTrial:
    """The finished trial of a repetition, to be added at once.

    Args:
        record: of the repetition.
        twin: the candidate's own trial, whose parameters it has.
        config: of the study.
        attributes: the user's attributes of the trial.
    """
    state, values = told(record, config)
    return create_trial(
        state=state,
        values=values,
        params=twin.params,
        distributions=twin.distributions,
        user_attrs=dict(attributes),
        constraints=constraints(record, config),
    )


def next_repeat(records: Sequence[Record], config: StudyConfig, most: int) -> Repeat | None:
    """Find what to measure again: of the records that may or may not be on the front, the most uncertain one.

    Args:
        records: of all trials so far, repetitions included.
        config: of the study.
        most: measurements of one candidate, the first and those that failed included.
    Returns: None where all are sure, or were measured as often as that.
    """
    runs = Counter(record.key for record in records if record.origin == "repeat")
    open_ = [record for record in feasible_records(records, config.terms) if 1 + runs[record.key] < most]
    if not open_:
        return None
    sure = front_probability(records, config.objectives, config.terms, config.seed)
    unsure = [record for record in open_ if UNSURE[0] < sure[record.number] < UNSURE[1]]
    first = min(unsure, key=lambda record: (abs(sure[record.number] - 0.5), record.number), default=None)
    return None if first is None else Repeat(first=first, run=2 + runs[first.key])
