"""The objectives a study may optimise: name, unit, direction, and the stage of a trial that measures them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from space.errors import UnknownName

Direction = Literal["maximize", "minimize"]
Stage = Literal["cost", "clean", "attack"]
"""From cheap to dear: milliseconds, a training, an attack."""

AT = "@"
"""Stands between an objective and the epochs after which it was measured."""

BOUND = f"pgd{AT}bound"
"""Name of what is known of `pgd` before it is: what stands so far. Not an objective."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One axis of a front.

    Attributes:
        name: what it is called on the command line.
        unit: unit of its measurements: "fraction", "bit-ops", "operations" or "bytes".
        direction: whether more or less is better.
        stage: the stage of a trial that measures it.
        label: how plots and tables call it.
    """

    name: str
    unit: str
    direction: Direction
    stage: Stage
    label: str

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return self.direction == "maximize"


def _fraction(name: str, stage: Stage, label: str) -> Objective:
    return Objective(name=name, unit="fraction", direction="maximize", stage=stage, label=label)


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective(name="bops", unit="bit-ops", direction="minimize", stage="cost", label="bit operations"),
        Objective(name="memory", unit="bytes", direction="minimize", stage="cost", label="weight memory"),
        Objective(name="activations", unit="bytes", direction="minimize", stage="cost", label="activation memory"),
        Objective(name="baskin", unit="bit-ops", direction="minimize", stage="cost", label="bit operations with sums"),
        Objective(
            name="ops64", unit="operations", direction="minimize", stage="cost", label="binary/64 + float operations"
        ),
        _fraction("acc", "clean", "clean accuracy"),
        _fraction("fgsm", "attack", "accuracy under FGSM"),
        _fraction("rfgsm", "attack", "accuracy under R-FGSM"),
        _fraction("uniform", "attack", "accuracy under uniform noise"),
        _fraction("gaussian", "attack", "accuracy under Gaussian noise"),
        _fraction("bim", "attack", "accuracy under BIM"),
        _fraction("mim", "attack", "accuracy under MIM"),
        _fraction("transfer", "attack", "accuracy under transferred PGD"),
        _fraction("pgd_naive", "attack", "accuracy under plain PGD"),
        _fraction("certified", "attack", "certified accuracy"),
        _fraction("pgd", "attack", "worst-case accuracy under attack"),
        _fraction("cw", "attack", "accuracy under CW, any distance"),
    )
}
"""Every objective by name, in the order in which a trial measures them."""


def find_objectives(names: Iterable[str]) -> tuple[Objective, ...]:
    """Look the names up, in the order given; raises UnknownName with the nearest known name."""
    return tuple(find_objective(name) for name in names)


def rung_name(epochs: int) -> str:
    """What the accuracy of members is called that have trained for only so many of their epochs.

    >>> rung_name(2)
    'acc@2'
    """
    return f"acc{AT}{epochs}"


def stage_of(name: str) -> Stage:
    """The stage that takes a measurement: of an objective, or of what is known of one before.

    Raises: UnknownName.
    """
    return find_objective(name.partition(AT)[0]).stage


def find_objective(name: str) -> Objective:
    """Look one name up; raises UnknownName with the nearest known name."""
    if name not in OBJECTIVES:
        raise UnknownName("objective", name, OBJECTIVES)
    return OBJECTIVES[name]
