"""The points of a space in its flat encoding: drawn by chance, listed in a random order, and next to another."""

import random
from collections.abc import Container, Iterator, Mapping
from functools import cached_property
from itertools import islice

from evaluators.seeds import number
from space.flat import Flat
from space.space import SearchSpace
from studies.samplers.choice import ENUMERABLE
from studies.samplers.design import DRAWS, draws

Point = tuple[int, ...]
"""Numbers in the order of the dimensions."""


class Points:
    """Canonical points: equal designs are equal points.

    Args:
        space: whose candidates they stand for.
        seed: of the study.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.seed, self._space, self._flat = seed, space, Flat(space)
        self.dimensions = self._flat.dimensions

    def point(self, params: Mapping[str, int]) -> Point:
        """The canonical point that stands for what these parameters stand for."""
        return self._of(self._flat.params(self._flat.candidate(params)))

    def params(self, point: Point) -> dict[str, int]:
        """The parameters of a point, by name."""
        return dict(zip(self.dimensions, point, strict=True))

    def drawn(self, purpose: str, trial: int) -> Iterator[Point]:
        """Points of random candidates, without end; what is drawn follows from the purpose and the trial's number."""
        for candidate in draws(self._space, number(self.seed, "sampler", str(trial), purpose)):
            yield self._of(self._flat.params(candidate))

    @property
    def countable(self) -> bool:
        """Whether the space is small enough to list all of its points."""
        return self._space.size <= ENUMERABLE

    @cached_property
    def shuffled(self) -> tuple[Point, ...]:
        """Every point once, in an order that follows from the seed."""
        points = [self._of(self._flat.params(candidate)) for candidate in self._space.enumerate()]
        random.Random(number(self.seed, "sampler", "order")).shuffle(points)
        return tuple(points)

    def nearest(self, point: Point, tried: Container[Point], trial: int) -> Point:
        """An untried point close to this one, or this one where no other is found.

        Small spaces are looked through completely; of others, points that differ in one number, and random ones.
        """
        known = self.shuffled if self.countable else [*self._beside(point), *islice(self.drawn("near", trial), DRAWS)]
        untried = (one for one in known if one not in tried)
        return min(untried, key=lambda one: self._distance(one, point), default=point)

    def _beside(self, point: Point) -> Iterator[Point]:
        for place, (low, high) in enumerate(self.dimensions.values()):
            for value in range(low, high + 1):
                yield self.point(self.params((*point[:place], value, *point[place + 1 :])))

    def _distance(self, one: Point, other: Point) -> float:
        """Sum over the dimensions of how far apart they are, as a part of what they can be."""
        widths = (max(1, high - low) for low, high in self.dimensions.values())
        return sum(abs(a - b) / width for a, b, width in zip(one, other, widths, strict=True))

    def _of(self, params: Mapping[str, int]) -> Point:
        return tuple(params[name] for name in self.dimensions)
