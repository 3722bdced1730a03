"""What comes nearest to a wish."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.objectives import Objective
from studies.fronts.pareto import Floats
from studies.records import Record
from studies.selection.rules.base import oriented, positions, ranges, tie


@dataclass(frozen=True)
class Closest:
    """The least distance from a wish; what is better than wished for counts as wished for; see `Rule`.

    Attributes:
        objectives: of the study.
        wishes: a value of each, in its unit.
    """

    objectives: tuple[Objective, ...]
    wishes: tuple[float, ...]

    @property
    def words(self) -> str:
        """What is chosen, and how the distance is measured."""
        parts = [f"{one.name} {wish:g}" for one, wish in zip(self.objectives, self.wishes, strict=True)]
        scale = "the front's range of each being 1, costs by their logarithm"
        return f"the least distance from the wish {', '.join(parts)} ({scale})"

    def order(self, members: Sequence[Record]) -> list[Record]:
        """Nearest first; of equals the cheaper, then the older."""
        far = self.distances(members)
        return [members[place] for place in sorted(range(len(members)), key=lambda i: (far[i], *tie(members[i])))]

    def reason(self, ranked: Sequence[Record]) -> str:
        """Its distance, what it falls short of, and the distance of the next."""
        first, second, *_ = self.distances(ranked)
        best, next_ = ranked[0], ranked[1]
        return f"#{best.number} is {first:.3f} away ({self._short(best)}); next is #{next_.number} with {second:.3f}"

    def distances(self, members: Sequence[Record]) -> Floats:
        """Of each record, >= 0; an objective that does not vary over the front is measured in its own unit."""
        names = [one.name for one in self.objectives]
        worst, best = ranges(members, names)
        width = np.where(best > worst, best - worst, 1.0)
        wanted = np.array([oriented(wish, one) for wish, one in zip(self.wishes, self.objectives, strict=True)])
        short = np.maximum(0.0, wanted - positions(members, names)) / width
        return np.asarray(np.round(np.linalg.norm(short, axis=1), 12), dtype=np.float64)

    def _short(self, record: Record) -> str:
        """What a record falls short of, by how much."""
        told = []
        for objective, wish in zip(self.objectives, self.wishes, strict=True):
            value = record.measurements[objective.name].value
            miss = wish - value if objective.maximize else value - wish
            told += [f"{objective.name} {value:.4g} misses by {miss:.3g}"] if miss > 0 else []
        return ", ".join(told) or "it has all that was wished for"
