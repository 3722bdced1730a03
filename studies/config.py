"""What a study is (its identity, compared when it is resumed) and when a run of it stops."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from evaluators.base import Budget, Protocol, check_range
from evaluators.objectives import OBJECTIVES, find_objectives
from space.errors import UnknownName, UserError
from space.shown import counted
from space.space import SearchSpace
from studies.limits import Limit, check_limits
from studies.samplers.choice import AUTO, check_sampler
from studies.terms import Terms

PROPOSALS: tuple[str, ...] = ("model", "pool", "off")
"""What is proposed between the sampler's: any candidate that promises most, such of known members alone, or nothing."""

MAX_OBJECTIVES = 6
MOST_MARGIN = 0.1
"""Largest margin: what would add more is no little."""


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """Everything that makes two studies the same study.

    Attributes:
        objectives: names, 1 to 6, each once; their order is that of columns and axes.
        space: what may be chosen.
        protocol: what is held fixed.
        budget: what one evaluation may spend.
        sampler: one of SAMPLERS, as it was asked for: what `auto` chose is in the study's header.
        seed: of everything the sampler draws.
        limits: what a candidate must meet; in any order.
        allow_masked: whether the front may hold robust accuracies that are known to be over-estimates.
        proposals: one of PROPOSALS.
        full: whether a trial goes on to its end where the front beats it whatever comes.
        margin: a trial also ends that, at its best, would add less than this share to the front's hypervolume and be
            the best in no objective; 0 to 0.1, 0 where it is full.
        rungs: epochs after which a trial may end, ascending, all before the budget's last; none where empty.

    Raises UserError for an unknown or repeated name, a sampler that can't search the space, and limits that contradict
    each other.
    """

    objectives: tuple[str, ...]
    space: SearchSpace
    protocol: Protocol
    budget: Budget
    sampler: str = AUTO
    seed: int = 0
    limits: tuple[Limit, ...] = ()
    allow_masked: bool = False
    proposals: str = "model"
    full: bool = False
    margin: float = 0.0
    rungs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        find_objectives(self.objectives)
        if not 1 <= len(self.objectives) <= MAX_OBJECTIVES:
            raise UserError("number of objectives", got=len(self.objectives), expected=f"1 to {MAX_OBJECTIVES}")
        repeated = [name for name in self.objectives if self.objectives.count(name) > 1]
        if repeated:
            raise UserError("objective named twice", got=repeated[0], expected="each objective once")
        check_sampler(self.sampler, self.space)
        if self.proposals not in PROPOSALS:
            raise UnknownName("proposals", self.proposals, PROPOSALS)
        check_range("seed", self.seed, 0, 2**31 - 1)
        check_range("margin", self.margin, 0.0, MOST_MARGIN)
        if self.full and self.margin:
            hint = "--full measures everything to its end"
            raise UserError("margin of a full study", got=self.margin, expected="0", hint=hint)
        check_limits(self.limits)
        check_rungs(self.rungs, self.budget.epochs)
        object.__setattr__(self, "limits", tuple(sorted(set(self.limits), key=str)))

    @property
    def terms(self) -> Terms:
        """What a candidate must meet to be on the front."""
        return Terms(self.limits, self.allow_masked)

    @property
    def named(self) -> tuple[str, ...]:
        """The objectives, and after them what only limits name."""
        return tuple(dict.fromkeys((*self.objectives, *(limit.objective for limit in self.limits))))

    @property
    def measured(self) -> tuple[str, ...]:
        """What a trial measures beyond its costs: objectives and limited names, from cheap to dear."""
        wanted = set(self.named)
        return tuple(name for name, one in OBJECTIVES.items() if name in wanted and one.stage != "cost")

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return {
            "objectives": list(self.objectives),
            "space": self.space.to_json(),
            "protocol": asdict(self.protocol),
            "budget": asdict(self.budget),
            "sampler": self.sampler,
            "seed": self.seed,
            "limits": [str(limit) for limit in self.limits],
            "allow_masked": self.allow_masked,
            "proposals": self.proposals,
            "full": self.full,
            "margin": self.margin,
            "rungs": list(self.rungs),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            objectives=tuple(data["objectives"]),
            space=SearchSpace.from_json(data["space"]),
            protocol=Protocol(**data["protocol"]),
            budget=Budget(**data["budget"]),
            sampler=data["sampler"],
            seed=data["seed"],
            limits=tuple(Limit.parse(text) for text in data["limits"]),
            allow_masked=data.get("allow_masked", False),
            proposals=data.get("proposals", "off"),
            full=data.get("full", True),
            margin=data.get("margin", 0.0),
            rungs=tuple(data.get("rungs", ())),
        )


@dataclass(frozen=True)
class Plateau:
    """When a search has stopped to pay: its hypervolume grew by less than a share of itself.

    Attributes:
        evaluations: the latest evaluated records over which growth is measured, >= 1.
        share: of the hypervolume; less growth than this is none, above 0, at most 1.

    >>> Plateau.parse("20:0.005")
    Plateau(evaluations=20, share=0.005)
    """

    evaluations: int
    share: float = 0.001

    def __post_init__(self) -> None:
        check_range("evaluations of a plateau", self.evaluations, 1, 10_000_000)
        check_range("growth of a plateau", self.share, 1e-9, 1.0)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read N or N:SHARE; UserError says what is wrong with it."""
        evaluations, colon, share = text.partition(":")
        try:
            numbers = int(evaluations), float(share) if colon else cls.share
        except ValueError:
            expected = "evaluations, or evaluations:share"
            raise UserError("--plateau", got=text, expected=expected, hint="e.g. 20 or 20:0.001") from None
        return cls(*numbers)


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When a run ends; not part of a study's identity, a resumed run may go further.

    Attributes:
        trials: evaluated records in the whole study, those of earlier runs included; >= 1.
        seconds: running time of this run after which no trial is started, > 0; None for no end.
        plateau: ends the run when its hypervolume hardly grows any more; None for never, since a short run can't tell
            a plateau from the steps in which every front grows.
        repeats: how often a candidate is measured at most, by other seeds, when the search is over and it is not sure
            whether it is on the front; 1 for never again.
    """

    trials: int
    seconds: float | None = None
    plateau: Plateau | None = None
    repeats: int = 1

    def __post_init__(self) -> None:
        check_range("repeats", self.repeats, 1, 1_000)
        if isinstance(self.trials, float):
            raise UserError("trials", got=self.trials, expected="a whole number")
        check_range("trials", self.trials, 1, 10_000_000)
        if self.seconds is not None:
            check_range("seconds", self.seconds, 1e-3, 1e9)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**data, "plateau": Plateau(**data["plateau"]) if data["plateau"] else None})


def check_rungs(rungs: Sequence[int], epochs: int) -> None:
    """Raise UserError unless the rungs ascend, each of them before the last of the epochs."""
    whole = all(isinstance(rung, int) and not isinstance(rung, bool) for rung in rungs)
    if not whole or list(rungs) != sorted({rung for rung in rungs if 1 <= rung < epochs}):
        allowed = f"ascending epochs from 1 to {epochs - 1}" if epochs > 1 else "none"
        hint = f"a member is trained for {counted(epochs, 'epoch')}; --epochs changes that"
        raise UserError("rungs", got=", ".join(map(str, rungs)), expected=allowed, hint=hint)


def renamed(config: StudyConfig, known: StudyConfig) -> StudyConfig:
    """A config that calls its images as another calls the same ones; as it is where the images are others."""
    mine, other = config.protocol, known.protocol
    return replace(config, protocol=replace(mine, dataset=other.dataset)) if mine.checksum == other.checksum else config


def check_same(
    old: StudyConfig, new: StudyConfig, where: object, hint: str = "choose another --out for a new study"
) -> None:
    """Raise UserError naming the first field that differs, if a folder's study is not the one asked for."""
    before, after = flatten(old.to_json()), flatten(new.to_json())
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            raise UserError(
                f"{where} holds a study with another {name}",
                got=told(after.get(name)),
                expected=told(before.get(name)),
                hint=hint,
            )


def flatten(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as one: {"protocol": {"epsilon": 0.2}} is {"protocol.epsilon": 0.2}; `prefix` leads every name."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        path = f"{prefix}{name}"
        flat |= flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat


def told(value: object) -> str:
    """A field of a study as a complaint shows it."""
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
