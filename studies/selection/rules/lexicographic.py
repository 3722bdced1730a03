"""One objective after the other, each with a tolerance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.objectives import Objective
from studies.records import Record
from studies.selection.rules.base import superlative, tie


@dataclass(frozen=True)
class Step:
    """One objective of the order.

    Attributes:
        objective: of the study.
        tolerance: how far from the best still counts as the best: in fractions, or as a share of a cost; >= 0.
    """

    objective: Objective
    tolerance: float

    def keeps(self, members: Sequence[Record]) -> list[Record]:
        """Those that are the best, or as good as it."""
        values = [one.measurements[self.objective.name].value for one in members]
        best, slack = (max if self.objective.maximize else min)(values), self.tolerance
        slack = slack if self.objective.unit == "fraction" else slack * best
        behind = [abs(best - value) for value in values]
        near = [far <= slack or math.isclose(far, slack) for far in behind]  # 0.8 - 0.79 is more than 0.01, rounded
        return [one for one, kept in zip(members, near, strict=True) if kept]

    def __str__(self) -> str:
        if not self.tolerance:
            return superlative(self.objective)
        near = f"{self.tolerance:g}" if self.objective.unit == "fraction" else f"{100 * self.tolerance:g} %"
        return f"within {near} of {superlative(self.objective)}"


@dataclass(frozen=True)
class Lexicographic:
    """What is as good as the best by the first step, of those by the second, and so on; see `Rule`."""

    steps: tuple[Step, ...]

    @property
    def words(self) -> str:
        """What is chosen."""
        return ", of those ".join(map(str, self.steps))

    def order(self, members: Sequence[Record]) -> list[Record]:
        """The chosen one, then the one that would be without it, and so on; of equals the cheaper, then the older."""
        left, ranked = sorted(members, key=tie), list[Record]()
        while left:
            ranked.append(self._narrowed(left)[-1][0])
            left.remove(ranked[-1])
        return ranked

    def reason(self, ranked: Sequence[Record]) -> str:
        """How many each step left."""
        sizes = [len(one) for one in self._narrowed(sorted(ranked, key=tie))[1:]]
        told = ", ".join(f"{size} by {one.objective.name}" for size, one in zip(sizes, self.steps, strict=True))
        shared = "" if sizes[-1] == 1 else f", and is the cheapest or oldest of the last {sizes[-1]}"
        return f"of the {len(ranked)} records of the front, {told} remain; #{ranked[0].number} is left{shared}"

    def _narrowed(self, members: list[Record]) -> list[list[Record]]:
        """Who is left at first and after each step."""
        left = [members]
        for step in self.steps:
            left.append(step.keeps(left[-1]))
        return left
