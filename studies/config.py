"""What a study is (its identity, compared when it is resumed) and when a run of it stops."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from evaluators.base import Budget, Protocol, check_range
from evaluators.objectives import OBJECTIVES, find_objectives
from space.errors import UnknownName, UserError
from space.space import SearchSpace
from studies.limits import Limit, check_limits
from studies.terms import Terms

SAMPLERS: tuple[str, ...] = ("tpe", "nsga2", "random")
"""Who proposes candidates: a density model (the default), a genetic algorithm, or chance as the control."""

PROPOSALS: tuple[str, ...] = ("pool", "off")
"""Whether candidates of known members are proposed between the sampler's."""

MAX_OBJECTIVES = 6


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """Everything that makes two studies the same study.

    Attributes:
        objectives: names, 1 to 6, each once; their order is that of columns and axes.
        space: what may be chosen.
        protocol: what is held fixed.
        budget: what one evaluation may spend.
        sampler: one of SAMPLERS.
        seed: of everything the sampler draws.
        limits: what a candidate must meet; in any order.
        allow_masked: whether the front may hold robust accuracies that are known to be over-estimates.
        proposals: one of PROPOSALS.
        rungs: epochs after which a trial may end, ascending, all before the budget's last; none where empty.

    Raises UserError for an unknown or repeated name, and for limits that contradict each other.
    """

    objectives: tuple[str, ...]
    space: SearchSpace
    protocol: Protocol
    budget: Budget
    sampler: str = "tpe"
    seed: int = 0
    limits: tuple[Limit, ...] = ()
    allow_masked: bool = False
    proposals: str = "pool"
    rungs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        find_objectives(self.objectives)
        if not 1 <= len(self.objectives) <= MAX_OBJECTIVES:
            raise UserError("number of objectives", got=len(self.objectives), expected=f"1 to {MAX_OBJECTIVES}")
        repeated = [name for name in self.objectives if self.objectives.count(name) > 1]
        if repeated:
            raise UserError("objective named twice", got=repeated[0], expected="each objective once")
        if self.sampler not in SAMPLERS:
            raise UnknownName("sampler", self.sampler, SAMPLERS)
        if self.proposals not in PROPOSALS:
            raise UnknownName("proposals", self.proposals, PROPOSALS)
        check_range("seed", self.seed, 0, 2**31 - 1)
        check_limits(self.limits)
        check_rungs(self.rungs, self.budget.epochs)
        object.__setattr__(self, "limits", tuple(sorted(set(self.limits), key=str)))

    @property
    def terms(self) -> Terms:
        """What a candidate must meet to be on the front."""
        return Terms(self.limits, self.allow_masked)

    @property
    def measured(self) -> tuple[str, ...]:
        """What a trial measures beyond its costs: objectives and limited names, from cheap to dear."""
        wanted = {*self.objectives, *(limit.objective for limit in self.limits)}
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
            rungs=tuple(data.get("rungs", ())),
        )


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When a run ends; not part of a study's identity, a resumed run may go further.

    Attributes:
        trials: evaluated records in the whole study, those of earlier runs included; >= 1.
        seconds: running time of this run after which no trial is started, > 0; None for no end.
    """

    trials: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.trials, float):
            raise UserError("trials", got=self.trials, expected="a whole number")
        check_range("trials", self.trials, 1, 10_000_000)
        if self.seconds is not None:
            check_range("seconds", self.seconds, 1e-3, 1e9)


def check_rungs(rungs: Sequence[int], epochs: int) -> None:
    """Raise UserError unless the rungs ascend, each of them before the last of the epochs."""
    whole = all(isinstance(rung, int) and not isinstance(rung, bool) for rung in rungs)
    if not whole or list(rungs) != sorted({rung for rung in rungs if 1 <= rung < epochs}):
        allowed = f"ascending epochs from 1 to {epochs - 1}" if epochs > 1 else "none"
        hint = f"a member is trained for {epochs} epoch{'s' * (epochs > 1)}; --epochs changes that"
        raise UserError("rungs", got=", ".join(map(str, rungs)), expected=allowed, hint=hint)


def check_same(old: StudyConfig, new: StudyConfig, where: object) -> None:
    """Raise UserError naming the first field that differs, if a folder's study is not the one asked for."""
    before, after = _flat(old.to_json()), _flat(new.to_json())
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            raise UserError(
                f"{where} holds a study with another {name}",
                got=_told(after.get(name)),
                expected=_told(before.get(name)),
                hint="choose another --out for a new study",
            )


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as one: {"protocol": {"epsilon": 0.2}} is {"protocol.epsilon": 0.2}."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        path = f"{prefix}{name}"
        flat |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat


def _told(value: object) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
