"""Lock files: one chosen candidate, why it was chosen, and all it takes to build that very network again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from evaluators.base import Budget, Measurement, Protocol
from evaluators.identity import Identity
from evaluators.verdict import Verdict
from space.candidate import Candidate
from space.errors import UserError
from studies.limits import Limit
from studies.listed import Listed, measurements_from, text, whole

LOCK_FILE = "selected.json"
"""Name of a study's lock file."""

FORMAT = 1
"""Raised when an older version could misread a lock file. Files of before it existed have none."""

Part = Literal["validation", "test"]
"""What images were judged on; the search never sees the test images."""

UNREADABLE = (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError, UserError)
"""What reading a file that was not written as a lock may raise."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One network, pinned down.

    Attributes:
        study: name of the study that it was chosen in.
        chosen: the candidate, with what it was chosen by: the mean where it was trained several times.
        protocol: what was held fixed; its seed is that of this network's training and of the attacks on it.
        split_seed: of the split into training, validation and test images.
        budget: what was spent on it.
        part: what images its measurements are of.
        verification: how hard test images were attacked; empty for validation images, which the budget is for.
        confirmed: whether it was trained again at the full budget and measured on images that no search has seen.
        measurements: of this very network.
        rule: of the selection, in words.
        reason: why this one.
        warning: what is doubtful about it, "" for nothing.
        limits: of the selection.
        allow_masked: whether known over-estimates were admitted.
        runners_up: the next ones by the same rule.
        knee: the one with the best trade-off; None if there is none.
        members: which trained networks it consists of, in the order of the candidate's canonical form; none where
            that is not known.
        versions: of what the result depends on; `code` is the digest of what trains members.
        format: of the file.
    """

    study: str
    chosen: Listed
    protocol: Protocol
    split_seed: int
    budget: Budget
    part: Part = "validation"
    verification: Mapping[str, Any] = field(default_factory=dict)
    confirmed: bool = False
    measurements: Mapping[str, Measurement]
    rule: str
    reason: str
    warning: str = ""
    limits: tuple[Limit, ...] = ()
    allow_masked: bool = False
    runners_up: tuple[Listed, ...] = ()
    knee: Listed | None = None
    members: tuple[Identity, ...] = ()
    versions: Mapping[str, str]
    format: int = FORMAT

    @property
    def number(self) -> int:
        """Of the trial in its study."""
        return self.chosen.number

    @property
    def candidate(self) -> Candidate:
        """What was chosen."""
        return Candidate.parse(self.chosen.candidate)

    @property
    def verdict(self) -> Verdict:
        """Whether the robust accuracy of this very network can be believed."""
        return self.network.verdict

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules behind the verdict, worst first."""
        return self.network.rules

    @property
    def network(self) -> Listed:
        """The candidate with the measurements of this very network."""
        return Listed(number=self.number, candidate=self.chosen.candidate, measurements=self.measurements)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back. What is derived, like the verdict, is there for readers."""
        own = self.network
        return {
            "format": self.format,
            "study": self.study,
            "number": self.number,
            "candidate": self.chosen.candidate,
            "configuration": self.candidate.to_json(),
            "confirmed": self.confirmed,
            "part": self.part,
            "measurements": {name: one.to_json() for name, one in self.measurements.items()},
            "gap": own.gap,
            "verdict": own.verdict,
            "rules": list(own.rules),
            "front_probability": self.chosen.front_probability,
            "rule": self.rule,
            "reason": self.reason,
            "warning": self.warning,
            "limits": [str(limit) for limit in self.limits],
            "allow_masked": self.allow_masked,
            "chosen": self.chosen.to_json(),
            "runners_up": [one.to_json() for one in self.runners_up],
            "knee": self.knee.to_json() if self.knee else None,
            "protocol": asdict(self.protocol),
            "split_seed": self.split_seed,
            "budget": asdict(self.budget),
            "verification": dict(self.verification),
            "members": [asdict(one) for one in self.members],
            "versions": dict(self.versions),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; one of UNREADABLE for anything else."""
        if data["format"] != FORMAT:
            raise ValueError(f"it has format {data['format']}, this version reads {FORMAT}")
        if data["part"] not in get_args(Part):
            raise ValueError(f"no part of the images is called {data['part']!r}")
        return cls(
            study=text(data["study"]),
            chosen=Listed.from_json(data["chosen"]),
            protocol=protocol_from(data["protocol"]),
            split_seed=whole(data["split_seed"]),
            budget=Budget(**data["budget"]),
            part=data["part"],
            verification=dict(data["verification"]),
            confirmed=bool(data["confirmed"]),
            measurements=measurements_from(data["measurements"]),
            rule=text(data["rule"]),
            reason=text(data["reason"]),
            warning=text(data["warning"]),
            limits=tuple(Limit.parse(text(one)) for one in data["limits"]),
            allow_masked=bool(data["allow_masked"]),
            runners_up=tuple(Listed.from_json(one) for one in data["runners_up"]),
            knee=Listed.from_json(data["knee"]) if data["knee"] else None,
            members=tuple(identity_from(one) for one in data["members"]),
            versions={text(name): text(one) for name, one in data["versions"].items()},
        )


def read_lock(path: Path | str) -> Lock:
    """Read a lock file, or that of the study in a folder; UserError where there is none, and for a damaged one."""
    file = Path(path)
    file = file / LOCK_FILE if file.is_dir() else file
    if not file.is_file():
        expected = f"a lock file, or the folder of a run with a {LOCK_FILE}"
        raise UserError("no lock file", got=str(path), expected=expected, hint="select writes one")
    try:
        return Lock.from_json(json.loads(file.read_text(encoding="utf-8")))
    except UNREADABLE as error:
        expected, hint = "a lock file of this version", "select writes it anew"
        raise UserError("damaged lock file", got=str(file), expected=expected, hint=hint) from error


def protocol_from(data: Mapping[str, Any]) -> Protocol:
    """A protocol, as JSON has it; one of UNREADABLE for anything else."""
    for name in ("dataset", "checksum", "network", "autocast"):
        text(data[name])
    return Protocol(**data)


def identity_from(data: Mapping[str, Any]) -> Identity:
    """A member's identity, as JSON has it; one of UNREADABLE for anything else."""
    return Identity(text(data["key"]), None if data["weights"] is None else text(data["weights"]))
