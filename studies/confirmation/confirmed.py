"""A confirmed front: what was found when a search's front was trained again in full and attacked on test images."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from evaluators.base import Budget, Measurement, Protocol
from evaluators.identity import Identity
from evaluators.objectives import find_objectives
from space.candidate import Candidate
from space.errors import UserError
from studies.judged import Judged
from studies.limits import Limit
from studies.listed import measurements_from, text, whole
from studies.lock import UNREADABLE, identity_from, protocol_from
from studies.terms import Terms

CONFIRMED_FILE = "confirmed.json"
"""Name of a study's confirmed front."""

FORMAT = 1
"""Raised when an older version could misread a confirmation."""


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """One training of one candidate by a seed that the search never used, and what it was worth.

    Attributes:
        seed: of the training and of the attacks on it.
        measurements: by objective name; what was known when it failed.
        members: which trained networks it consists of.
        failure: why it could not be measured, one line; "" where it was.
        seconds: wall time.
    """

    seed: int
    measurements: Mapping[str, Measurement]
    members: tuple[Identity, ...] = ()
    failure: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return {
            "seed": self.seed,
            "measurements": {name: one.to_json() for name, one in self.measurements.items()},
            "members": [asdict(one) for one in self.members],
            "failure": self.failure,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; one of UNREADABLE for anything else."""
        return cls(
            seed=whole(data["seed"]),
            measurements=measurements_from(data["measurements"]),
            members=tuple(identity_from(one) for one in data["members"]),
            failure=text(data["failure"]),
            seconds=float(data["seconds"]),
        )


@dataclass(frozen=True, kw_only=True)
class ConfirmedRow(Judged):
    """One candidate of the front, or near it, measured again.

    Attributes:
        number: of its trial in the search.
        candidate: canonical text form.
        proxy: what the search had measured.
        on_front: whether it was on the front of the search.
        proxy_probability: how sure the search was that nothing beats it; None where it did not admit it.
        seeds: what each training gave, in the order of the confirmation's seeds; fewer where it was interrupted.
        measurements: their mean, with an error that covers images and seeds; of those that did not fail.
        front_probability: how sure it is that no other confirmed row beats it; None where the terms don't admit it.
        reason: why it is not on the confirmed front, in words; "" where it is.
    """

    number: int
    candidate: str
    proxy: Mapping[str, Measurement]
    on_front: bool
    proxy_probability: float | None
    seeds: tuple[SeedResult, ...]
    measurements: Mapping[str, Measurement]
    front_probability: float | None = None
    reason: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is on the confirmed front."""
        return not self.reason

    @property
    def fell(self) -> bool:
        """Whether it was on the front of the search and, now that it was measured, is not on the confirmed one."""
        return self.on_front and not self.stands and bool(self.seeds)

    @property
    def now(self) -> str:
        """Where it is, in a word; "–" while nothing of it was measured."""
        if not self.seeds:
            return "–"
        return "front" if self.stands else "fell" if self.fell else "off"

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back. What is derived, like the verdict, is there for readers."""
        return {
            "number": self.number,
            "candidate": self.candidate,
            "stands": self.stands,
            "reason": self.reason,
            "on_front": self.on_front,
            "proxy_probability": self.proxy_probability,
            "front_probability": self.front_probability,
            "proxy": {name: one.to_json() for name, one in self.proxy.items()},
            "measurements": {name: one.to_json() for name, one in self.measurements.items()},
            "gap": self.gap,
            "verdict": self.verdict,
            "rules": list(self.rules),
            "seeds": [one.to_json() for one in self.seeds],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; one of UNREADABLE for anything else."""
        return cls(
            number=whole(data["number"]),
            candidate=str(Candidate.parse(text(data["candidate"]))),
            proxy=measurements_from(data["proxy"]),
            on_front=bool(data["on_front"]),
            proxy_probability=_share(data["proxy_probability"]),
            seeds=tuple(SeedResult.from_json(one) for one in data["seeds"]),
            measurements=measurements_from(data["measurements"]),
            front_probability=_share(data["front_probability"]),
            reason=text(data["reason"]),
        )


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """The front of a search, measured again in full on images that no search has seen.

    Attributes:
        study: name of the study.
        objectives: names, those of the study.
        terms: of the study.
        protocol: of the study; its seed split the images, and no network here was trained by it.
        budget: of every training.
        verification: how hard the test images were attacked, by setting.
        near: probability of being on the front from which a record off it was taken in.
        seeds: that every candidate was to be trained by.
        rows: from those on the confirmed front to others, each by trial number.
        versions: of what the result depends on.
    """

    study: str
    objectives: tuple[str, ...]
    terms: Terms
    protocol: Protocol
    budget: Budget
    verification: Mapping[str, Any]
    near: float
    seeds: tuple[int, ...]
    rows: tuple[ConfirmedRow, ...]
    versions: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether every candidate was measured by every seed."""
        return all(len(row.seeds) == len(self.seeds) for row in self.rows)

    @property
    def front(self) -> tuple[ConfirmedRow, ...]:
        """What no other row beats, within the terms."""
        return tuple(row for row in self.rows if row.stands)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return {
            "format": FORMAT,
            "study": self.study,
            "objectives": list(self.objectives),
            "complete": self.complete,
            "limits": [str(limit) for limit in self.terms.limits],
            "allow_masked": self.terms.allow_masked,
            "protocol": asdict(self.protocol),
            "budget": asdict(self.budget),
            "verification": dict(self.verification),
            "near": self.near,
            "seeds": list(self.seeds),
            "rows": [row.to_json() for row in self.rows],
            "versions": dict(self.versions),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; one of UNREADABLE for anything else."""
        if data["format"] != FORMAT:
            raise ValueError(f"it has format {data['format']}, this version reads {FORMAT}")
        objectives = tuple(text(name) for name in data["objectives"])
        find_objectives(objectives)
        rows = tuple(ConfirmedRow.from_json(row) for row in data["rows"])
        for row in rows:
            _check_row(row, objectives)
        return cls(
            study=text(data["study"]),
            objectives=objectives,
            terms=Terms(tuple(Limit.parse(text(one)) for one in data["limits"]), bool(data["allow_masked"])),
            protocol=protocol_from(data["protocol"]),
            budget=Budget(**data["budget"]),
            verification=dict(data["verification"]),
            near=float(data["near"]),
            seeds=tuple(whole(one) for one in data["seeds"]),
            rows=rows,
            versions={text(name): text(one) for name, one in data["versions"].items()},
        )


def read_confirmation(folder: Path | str) -> Confirmation | None:
    """Read the confirmed front of a study's folder; None where it has none, UserError for a damaged file."""
    file = Path(folder) / CONFIRMED_FILE
    if not file.is_file():
        return None
    try:
        return Confirmation.from_json(json.loads(file.read_text(encoding="utf-8")))
    except UNREADABLE as error:
        expected, hint = "a confirmed front of this version", "confirm writes it anew"
        raise UserError("damaged file", got=str(file), expected=expected, hint=hint) from error


def _check_row(row: ConfirmedRow, objectives: Sequence[str]) -> None:
    """Raise ValueError for a row that a search had not measured in full, or that stands on less than that."""
    kinds = (row.proxy, row.measurements) if row.stands else (row.proxy,)
    lacking = {name for name in objectives for kind in kinds if name not in kind}
    if lacking or (row.stands and not row.seeds):
        raise ValueError(f"#{row.number} lacks {', '.join(sorted(lacking)) or 'a network'}")


def _share(value: Any) -> float | None:
    return None if value is None else float(value)
