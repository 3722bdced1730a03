"""Which sampler a study has: the names, what each can do, and how `auto` chooses one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from space.errors import UnknownName, UserError
from space.shown import counted
from space.space import SearchSpace

AUTO = "auto"

ENUMERABLE = 5000
"""Spaces of up to so many candidates are searched exhaustively for one that is new."""

SAMPLERS: Mapping[str, str] = {
    AUTO: "one of the others, by the trials asked for and the space",
    "tpe": "a density model of good and bad choices",
    "gp": "a Gaussian process and its expected gain in hypervolume",
    "nsga2": "a genetic algorithm",
    "nsga3": "a genetic algorithm for four objectives or more",
    "random": "chance, as the control",
    "qmc": "points spread evenly over the space",
    "exhaustive": "every candidate once",
}
"""Who proposes candidates, by name."""


class Task(NamedTuple):
    """What `auto` knows of a study when it is created.

    Attributes:
        candidates: of its space.
        objectives: how many.
        trials: that its first run is to evaluate.
        modelled: whether the study's own model proposes any candidate beside the sampler.
        limited: whether there are limits for a sampler to learn.
    """

    candidates: int
    objectives: int
    trials: int
    modelled: bool = False
    limited: bool = False


class Rule(NamedTuple):
    """A sampler, where `auto` takes it, and why in words."""

    sampler: str
    fits: Callable[[Task], bool]
    why: str


MODEL_TRIALS, NSGA2_OBJECTIVES = 1000, 3

RULES = (
    Rule(
        "exhaustive",
        lambda task: task.candidates <= min(task.trials, ENUMERABLE),
        "there are trials for every candidate",
    ),
    Rule(
        "random",
        lambda task: task.modelled and not task.limited and task.trials <= MODEL_TRIALS,
        "a model proposes, and beside it chance finds what it does not expect",
    ),
    Rule(
        "tpe",
        lambda task: task.trials <= MODEL_TRIALS,
        f"a density model pays for up to {MODEL_TRIALS} trials",
    ),
    Rule(
        "nsga2",
        lambda task: task.objectives <= NSGA2_OBJECTIVES,
        f"there are trials for many generations, and at most {NSGA2_OBJECTIVES} objectives",
    ),
    Rule("nsga3", lambda task: True, "there are trials for many generations, and many objectives"),
)
"""The first one that fits is what `auto` chooses."""


@dataclass(frozen=True)
class Choice:
    """Which sampler a study was created with; it never changes.

    Attributes:
        asked: one of SAMPLERS, or "" where it is not known whether anyone asked (an earlier version's default).
        chosen: one of SAMPLERS, not `auto`.
        reason: why that one.
    """

    asked: str
    chosen: str
    reason: str

    def means(self, sampler: str) -> bool:
        """Whether someone who now asks for this sampler means this study's."""
        return sampler in (self.asked or AUTO, self.chosen)

    def to_json(self) -> dict[str, str]:
        """As a JSON object; `from_json` reads it back."""
        return {"asked": self.asked, "chosen": self.chosen, "reason": self.reason}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(data["asked"], data["chosen"], data["reason"])

    @classmethod
    def of_an_earlier_version(cls, sampler: str) -> Self:
        """That of a study which recorded only the name; its default was `tpe`."""
        if sampler == "tpe":
            return cls("", sampler, "an earlier version's default, or asked for by name")
        return cls(sampler, sampler, "asked for by name")


def choose(asked: str, task: Task) -> Choice:
    """Choose the sampler of a new study; `asked` is one of SAMPLERS."""
    if asked != AUTO:
        return Choice(asked, asked, "asked for by name")
    rule = next(rule for rule in RULES if rule.fits(task))
    facts = ", ".join(
        (counted(task.candidates, "candidate"), counted(task.objectives, "objective"), counted(task.trials, "trial"))
    )
    return Choice(AUTO, rule.sampler, f"{facts}: {rule.why}")


def check_sampler(name: str, space: SearchSpace) -> None:
    """Raise UnknownName for a name that is not known, UserError for a sampler that can't search this space."""
    if name not in SAMPLERS:
        raise UnknownName("sampler", name, SAMPLERS)
    if name == "exhaustive" and space.size > ENUMERABLE:
        expected = f"a space of at most {ENUMERABLE} candidates"
        hint = f"remove values from its axes, or take another sampler, e.g. {AUTO}"
        raise UserError("space too large for exhaustive", got=f"{space.size} candidates", expected=expected, hint=hint)
