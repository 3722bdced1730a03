"""A weighted sum of objectives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.objectives import Objective
from studies.fronts.pareto import Floats
from studies.records import Record
from studies.selection.rules.base import positions, ranges, tie


@dataclass(frozen=True)
class Weights:
    """The highest weighted mean of objectives, each from 0, the worst of the front, to 1, its best; see `Rule`.

    Attributes:
        objectives: of the study.
        weights: of each, >= 0, at least one of them above 0.
    """

    objectives: tuple[Objective, ...]
    weights: tuple[float, ...]

    @property
    def words(self) -> str:
        """What is chosen, and how objectives are made comparable."""
        parts = [f"{weight:g} {one.name}" for one, weight in zip(self.objectives, self.weights, strict=True)]
        scale = "each from 0 (the front's worst) to 1 (its best), costs by their logarithm"
        return f"the highest weighted mean of {' + '.join(parts)}, {scale}"

    def order(self, members: Sequence[Record]) -> list[Record]:
        """Best first; of equals the cheaper, then the older."""
        scores = self.scores(members)
        return [members[place] for place in sorted(range(len(members)), key=lambda i: (-scores[i], *tie(members[i])))]

    def reason(self, ranked: Sequence[Record]) -> str:
        """Its mean, and that of the next."""
        first, second, *_ = self.scores(ranked)
        best, next_ = ranked[0].number, ranked[1].number
        text = f"#{best} comes to {first:.3f}, the most of the {len(ranked)} records of the front"
        return f"{text}; next is #{next_} with {second:.3f}"

    def scores(self, members: Sequence[Record]) -> Floats:
        """The weighted mean of each record, 0 to 1; an objective that does not vary counts as best for all."""
        names = [one.name for one in self.objectives]
        worst, best = ranges(members, names)
        width = best - worst
        parts = np.where(width > 0, (positions(members, names) - worst) / np.where(width > 0, width, 1.0), 1.0)
        weights = np.array(self.weights) / sum(self.weights)
        return np.asarray(np.round(parts @ weights, 12), dtype=np.float64)  # equals are equal in any order of members
