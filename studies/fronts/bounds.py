"""Frozen bounds of the objectives: hypervolumes of a study compare from its first day to its last."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from space.candidate import Candidate, Member, MuLaw
from space.errors import UserError
from space.groups import FP
from space.stages import AnyPrecision
from studies.fronts.pareto import Floats, as_points

if TYPE_CHECKING:
    from space.space import SearchSpace

Cost = Callable[[Candidate], dict[str, Measurement]]


@dataclass(frozen=True)
class Bounds:
    """Cheapest and dearest cost of a space; fractions are bounded by 0 and 1 by nature.

    Attributes:
        costs: (low, high) by name of a cost objective, 0 < low <= high, in its unit.
    """

    costs: Mapping[str, tuple[float, float]]

    def normalise(self, values: Floats, objectives: Sequence[str]) -> Floats:
        """Map values to [0, 1], 0 the best and 1 the worst; costs on a log2 scale; outside is clipped.

        Args:
            values: n x k, in the objectives' units.
            objectives: k names; KeyError for a cost without bounds.
        """
        values = as_points(values, len(objectives))
        columns = [self._loss(name, values[:, i]) for i, name in enumerate(objectives)]
        return np.clip(np.stack(columns, axis=1), 0.0, 1.0)

    def _loss(self, name: str, column: Floats) -> Floats:
        objective = OBJECTIVES[name]
        if objective.stage != "cost":
            return 1.0 - column if objective.maximize else column
        low, high = np.log2(self.costs[name])
        # A space of one price has no scale: every point is then as cheap as can be.
        width = high - low if high > low else 1.0
        return np.asarray((np.log2(np.maximum(column, 1e-9)) - low) / width, dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, {"bops": [low, high], …}; `from_json` reads it back."""
        return {name: list(pair) for name, pair in self.costs.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[float]]) -> Self:
        """Read what `to_json` wrote."""
        return cls({name: (float(low), float(high)) for name, (low, high) in data.items()})


def measure_bounds(space: "SearchSpace", cost: Cost, others: Iterable[Candidate] = ()) -> Bounds:
    """Cost the extremes of the space, where every cost is a sum over the members.

    Args:
        space: the space; of its ensembles, those whose low-bit members are all alike are the extremes.
        cost: costs of a candidate; one that raises UserError is left out.
        others: candidates of the space that may only widen the bounds.
    Raises: the first UserError of `cost` if no candidate fits the network.
    """
    found: dict[str, list[float]] = {}
    refusal: UserError | None = None
    for candidate in (*_extremes(space), *others):
        try:
            costs = cost(candidate)
        except UserError as error:
            refusal = refusal or error
            continue
        for name, measurement in costs.items():
            found.setdefault(name, []).append(measurement.value)
    if not found:
        raise refusal or UserError("search space without a candidate that fits the network")
    return Bounds({name: (min(values), max(values)) for name, values in found.items()})


def _extremes(space: "SearchSpace") -> Iterator[Candidate]:
    """Single members of every precision, and ensembles of equals beside fp, at both ends of other axes."""
    widths, bits = {min(space.widths), max(space.widths)}, {min(space.input_bits), max(space.input_bits)}
    mapping = MuLaw(max(space.mu), min(space.mapped_layers)) if 0 not in space.mu else None
    for group, width, input_bits in product(_uniform_groups(space), sorted(widths), sorted(bits)):
        yield Candidate(
            input_bits=input_bits,
            members=tuple(map(Member, group)),
            vote=space.votes[0] if len(group) > 1 else None,
            mapping=mapping,
            recipe=space.recipes[0],
            width=width,
        ).canonical()


def _uniform_groups(space: "SearchSpace") -> Iterator[tuple[AnyPrecision, ...]]:
    for size in space.members:
        if size == 1:
            yield from ((precision,) for precision in space.precisions)
            continue
        for full in space.groups.full_counts(size):
            kinds = space.groups.others if full < size else (FP,)
            yield from ((FP,) * full + (kind,) * (size - full) for kind in kinds)
