"""Candidates as numbers, so that alike ones lie close together."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from space.candidate import Candidate
from space.space import SearchSpace
from studies.fronts.bounds import Bounds
from studies.fronts.pareto import Floats
from studies.records import Record


class Designs:
    """Where the candidates of a space lie: what they are made of, and what they cost.

    Attributes:
        groups: of numbers that belong together.

    Args:
        space: of the study.
        bounds: of the study.
        objectives: of the study; those that are costs are part of a design.
    """

    def __init__(self, space: SearchSpace, bounds: Bounds, objectives: Sequence[str]) -> None:
        self._space, self._bounds = space, bounds
        self._costs = tuple(name for name in objectives if OBJECTIVES[name].stage == "cost")
        self._tokens = {str(precision): slot for slot, precision in enumerate(space.precisions)}
        sizes = (1, 1, 1, 1, 2, len(space.recipes), len(self._tokens), *(1 for _ in self._costs))
        ends = list(accumulate(sizes))
        self.groups = [range(end - size, end) for size, end in zip(sizes, ends, strict=True)]
        self._of_record: dict[int, Floats] = {}

    def of(self, candidate: Candidate, measured: Mapping[str, Measurement]) -> Floats:
        """A vector of numbers of the order of 1.

        They are: bits of the input and width, by their logarithms; members beyond the first; a majority vote; whether
        weights are mapped, and how many layers; which recipe; the members' shares of each precision; the losses
        of what is known, from 0 to 1.

        Args:
            candidate: canonical, of the space.
            measured: at least the costs.
        """
        values = np.array([[measured[name].value for name in self._costs]])
        losses = self._bounds.normalise(values, self._costs)[0] if self._costs else np.empty(0)
        return np.concatenate([self._form(candidate), self._recipe(candidate), self._shares(candidate), losses])

    def of_records(self, records: Sequence[Record]) -> Floats:
        """The designs of n >= 1 records that have costs, n × f."""
        known = self._of_record
        self._of_record = {
            one.number: known[one.number]
            if one.number in known
            else self.of(Candidate.parse(one.candidate), one.measurements)
            for one in records
        }
        return np.stack([self._of_record[record.number] for record in records])

    def _form(self, one: Candidate) -> Floats:
        layers = one.mapping.layers / max(self._space.mapped_layers) if one.mapping else 0.0
        return np.array(
            [
                math.log2(one.input_bits) / 3,
                math.log2(one.width / max(self._space.widths)),
                (len(one.members) - 1) / max(1, max(self._space.members) - 1),
                float(one.vote == "majority"),
                float(one.mapping is not None),
                layers,
            ]
        )

    def _recipe(self, one: Candidate) -> Floats:
        return np.array([float(one.recipe == recipe) for recipe in self._space.recipes])

    def _shares(self, one: Candidate) -> Floats:
        shares = np.zeros(len(self._tokens))
        for member in one.members:
            shares[self._tokens[str(member.precision)]] += 1 / len(one.members)
        return shares
