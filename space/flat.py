"""A candidate as a point of whole numbers: every dimension of every point, for samplers that know no conditions.

A number is a place in an ascending order, so that neighbours are alike and a model can go by distances. What does
not matter of a candidate has the one value below, so that equal designs are equal points.

| dimension | number | where it does not matter |
|---|---|---|
| input_bits, recipe, width | place on the axis | |
| member_1, … | place among the precisions by their bits, from 1; the dearest member first | 0: no such member |
| vote | place on the axis | 0: one member |
| mapped_layers | place on the axis, from 1 | 0: no mapping |
| mu | place among those above 0 | 0: no mapping |

A point that is no candidate (too many members, too many fp) stands for one near it: `candidate` says for which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from space.candidate import Candidate, Member, MuLaw
from space.groups import FP
from space.stages import AnyPrecision, Staged

if TYPE_CHECKING:
    from space.encoding import Trial
    from space.space import SearchSpace


class Flat:
    """Ordinal whole numbers, all of them always asked; see the module's table.

    Attributes:
        dimensions: lowest and highest number of each, by name; equal where there is nothing to choose.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._by_bits = tuple(sorted(space.precisions, key=bits))
        self._mus = tuple(mu for mu in space.mu if mu)
        self._groups = space.groups
        self.dimensions: Mapping[str, tuple[int, int]] = self._dimensions()

    def sample(self, trial: Trial) -> Candidate:
        """See `Encoding`."""
        return self.candidate({name: trial.suggest_int(name, *ends) for name, ends in self.dimensions.items()})

    def params(self, candidate: Candidate) -> dict[str, int]:
        """See `Encoding`: the one point that all equal designs have."""
        space, one = self._space, self._space.check_contains(candidate)
        slots = sorted((self._slots[member.precision] for member in one.members), reverse=True)
        absent = [0] * (max(space.members) - len(slots))
        return {
            "input_bits": space.input_bits.index(one.input_bits),
            **{f"member_{slot}": number for slot, number in enumerate([*slots, *absent], 1)},
            "vote": space.votes.index(one.vote) if one.vote else 0,
            "mapped_layers": space.mapped_layers.index(one.mapping.layers) + 1 if one.mapping else 0,
            "mu": self._mus.index(one.mapping.mu) if one.mapping else 0,
            "recipe": space.recipes.index(one.recipe),
            "width": space.widths.index(one.width),
        }

    def candidate(self, point: Mapping[str, int]) -> Candidate:
        """The canonical candidate that a point stands for, `point` within `dimensions`.

        Members in a wrong number are left out (the cheapest) or repeated, to the nearest number there may be; so
        are those in full precision, and then the others.
        """
        space = self._space
        slots = [number for name, number in point.items() if name.startswith("member_")]
        group = self._group(sorted((self._by_bits[slot - 1] for slot in slots if slot), key=bits, reverse=True))
        layers = point["mapped_layers"]
        return Candidate(
            input_bits=space.input_bits[point["input_bits"]],
            members=tuple(map(Member, group)),
            vote=space.votes[point["vote"]] if len(group) > 1 else None,
            mapping=MuLaw(self._mus[point["mu"]], space.mapped_layers[layers - 1]) if layers else None,
            recipe=space.recipes[point["recipe"]],
            width=space.widths[point["width"]],
        ).canonical()

    def _dimensions(self) -> dict[str, tuple[int, int]]:
        space, least = self._space, min(self._space.members)
        slots = range(1, max(space.members) + 1)
        return {
            "input_bits": (0, len(space.input_bits) - 1),
            **{f"member_{slot}": (int(slot <= least), len(self._by_bits)) for slot in slots},
            "vote": (0, len(space.votes) - 1),
            "mapped_layers": (int(0 not in space.mu), len(space.mapped_layers) if self._mus else 0),
            "mu": (0, max(0, len(self._mus) - 1)),
            "recipe": (0, len(space.recipes) - 1),
            "width": (0, len(space.widths) - 1),
        }

    @cached_property
    def _slots(self) -> dict[AnyPrecision, int]:
        return {precision: place for place, precision in enumerate(self._by_bits, 1)}

    def _group(self, wanted: list[AnyPrecision]) -> list[AnyPrecision]:
        """The possible group next to the one that is wanted, which is sorted, the dearest first; it is not empty."""
        size = _nearest(len(wanted), self._space.members)
        if size == 1:
            return wanted[:1]
        others = [one for one in wanted if not one.float]
        full = _nearest(len(wanted) - len(others), self._groups.full_counts(size))
        others = others[: size - full]
        spare = others[-1:] or [one for one in self._by_bits if not one.float][:1]
        return [FP] * full + others + spare * (size - full - len(others))


def bits(precision: AnyPrecision) -> tuple[float, AnyPrecision]:
    """What precisions are ordered by here: the bit operations of one multiplication, the mean over the stages."""
    stages = precision.stages if isinstance(precision, Staged) else (precision,)
    kept = (1 - (one.pruning.percent if one.pruning else 0) / 100 for one in stages)
    costs = [one.weight * one.activation * share for one, share in zip(stages, kept, strict=True)]
    return sum(costs) / len(costs), precision


def _nearest(number: int, known: Iterable[int]) -> int:
    """The known number that is closest; the smaller of two."""
    return min(sorted(known), key=lambda one: abs(one - number))
