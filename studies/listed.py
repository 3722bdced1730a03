"""A record as files list it: what was measured of a candidate, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from evaluators.base import Measurement
from space.candidate import Candidate
from studies.judged import Judged
from studies.records import Record


@dataclass(frozen=True, kw_only=True)
class Listed(Judged):
    """A candidate as front.json and a lock file list it.

    Attributes:
        number: of its trial.
        candidate: canonical text form.
        origin: who proposed it.
        runs: how many trainings its measurements are the mean of.
        measurements: by objective name.
        front_probability: how sure it is that nothing beats it; None where it is not known.
    """

    number: int
    candidate: str
    origin: str = ""
    runs: int = 1
    measurements: Mapping[str, Measurement]
    front_probability: float | None = None

    @classmethod
    def of(cls, record: Record, probability: float | None = None) -> Self:
        """The record of a study."""
        return cls(
            number=record.number,
            candidate=record.candidate,
            origin=record.origin,
            runs=record.runs,
            measurements=record.measurements,
            front_probability=probability,
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return {
            "number": self.number,
            "candidate": self.candidate,
            "origin": self.origin,
            "runs": self.runs,
            "measurements": {name: one.to_json() for name, one in self.measurements.items()},
            "gap": self.gap,
            "verdict": self.verdict,
            "rules": list(self.rules),
            "front_probability": self.front_probability,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; KeyError, TypeError, ValueError or UserError for anything else."""
        probability = data["front_probability"]
        return cls(
            number=whole(data["number"]),
            candidate=str(Candidate.parse(text(data["candidate"]))),
            origin=text(data["origin"]),
            runs=whole(data["runs"]),
            measurements=measurements_from(data["measurements"]),
            front_probability=None if probability is None else float(probability),
        )


def measurements_from(data: Mapping[str, Any]) -> dict[str, Measurement]:
    """Measurements by name, as JSON has them; KeyError, TypeError or ValueError for anything else."""
    return {str(name): Measurement.from_json(one) for name, one in data.items()}


def text(value: object) -> str:
    """A text as it is; TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def whole(value: object) -> int:
    """A whole number as it is; TypeError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value
