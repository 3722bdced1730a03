"""More seeds where it is unsure: what may or may not be on the front is trained and attacked again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

from studies.config import StudyConfig
from studies.probability import front_probability
from studies.records import Record, feasible_records
from studies.trial import Evaluates

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

    @property
    def reason(self) -> str:
        """What the record of the repetition says of itself."""
        return f"run {self.run} of #{self.first.number}"


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
