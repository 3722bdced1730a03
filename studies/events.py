"""What a run tells while it runs."""

from dataclasses import dataclass
from typing import Literal

from evaluators.base import Measurement
from studies.records import Record

Why = Literal["trials", "seconds", "interrupted", "failures", "space exhausted", "plateau"]


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Why and when a run ended.

    Attributes:
        reason: "trials" and "seconds", as asked; "interrupted" by the user; "failures", three in a row alike;
            "space exhausted", nothing new is left to try; "plateau", the hypervolume has stopped to grow.
        detail: one line more where there is more to say, else "".
        evaluated: evaluated records in the whole study.
        seconds: running time of this run.
    """

    reason: Why
    detail: str = ""
    evaluated: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """The study is open and locked.

    Attributes:
        records: how many there are from earlier runs.
        evaluated: how many of them were evaluated.
        trials: evaluated records to reach, no more than the space has candidates.
        seconds: running time allowed, None for no end.
    """

    records: int
    evaluated: int
    trials: int
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class TrialStarted:
    """A candidate was proposed; nothing is measured yet."""

    number: int
    candidate: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One measurement of a running trial became known; costs come first."""

    number: int
    name: str
    measurement: Measurement


@dataclass(frozen=True, kw_only=True)
class TrialFinished:
    """A trial ended and its record is stored.

    Attributes:
        record: of the trial.
        evaluated: evaluated records in the whole study, this one included.
        front: of the whole study, by number.
        on_front: whether the record is part of it.
    """

    record: Record
    evaluated: int
    front: tuple[Record, ...]
    on_front: bool


@dataclass(frozen=True, kw_only=True)
class RunStopped:
    """The run is over and the study unlocked."""

    stopped: Stopped


Event = RunStarted | TrialStarted | Measured | TrialFinished | RunStopped
"""Anything that a run tells."""
