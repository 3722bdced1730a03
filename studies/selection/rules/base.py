"""What a rule is, and what rules share: ties, scales, and how they are told."""

from collections.abc import Sequence
from typing import Protocol as Interface

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES, Objective, find_objectives
from studies.fronts.pareto import Floats
from studies.records import Record, values_of


class Rule(Interface):
    """Chooses one record of a front."""

    @property
    def words(self) -> str:
        """What is chosen, without a verb."""

    def order(self, members: Sequence[Record]) -> list[Record]:
        """The records of a front, best first; UserError where the rule has nothing to go by.

        Args:
            members: mutually non-dominated, in any order: the result does not depend on it.
        """

    def reason(self, ranked: Sequence[Record]) -> str:
        """Say in one sentence what set the first of two or more apart from the others, as `order` gave them."""


def tie(record: Record) -> tuple[float, ...]:
    """What decides between equals: the cheaper, then the older."""
    costs = [one.name for one in OBJECTIVES.values() if one.stage == "cost"]
    prices = [record.measurements[name].value for name in costs if name in record.measurements]
    return (*prices, float(record.number))


def oriented(value: float, objective: Objective) -> float:
    """A value of which more is better: fractions as they are, costs in halvings."""
    placed = float(np.log2(max(value, 1e-9))) if objective.unit != "fraction" else value
    return placed if objective.maximize else -placed


def ranges(members: Sequence[Record], objectives: Sequence[str]) -> tuple[Floats, Floats]:
    """The worst and the best that a front has of each objective, oriented: twice k numbers."""
    placed = positions(members, objectives)
    return placed.min(axis=0), placed.max(axis=0)


def positions(members: Sequence[Record], objectives: Sequence[str]) -> Floats:
    """Oriented values, n x k."""
    columns = zip(values_of(members, objectives).T, find_objectives(objectives), strict=True)
    return np.array([[oriented(value, one) for value in column] for column, one in columns]).T


def shown(measurement: Measurement) -> str:
    """A value with its standard error, where it has one."""
    error = f" ± {measurement.stderr:.2g}" if measurement.stderr else ""
    return f"{measurement.value:.4g}{error}"


def superlative(objective: Objective) -> str:
    """The best of an objective, in words."""
    return f"the {'highest' if objective.maximize else 'lowest'} {objective.label} ({objective.name})"
