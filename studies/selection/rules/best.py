"""The best of one objective."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.base import Measurement
from evaluators.objectives import Objective
from studies.records import Record
from studies.selection.rules.base import shown, superlative, tie


@dataclass(frozen=True)
class Best:
    """The highest of an objective of which more is better, else the lowest; see `studies.selection.rules.base.Rule`."""

    objective: Objective

    @property
    def words(self) -> str:
        """What is chosen."""
        return superlative(self.objective)

    def order(self, members: Sequence[Record]) -> list[Record]:
        """Best first; of equals the cheaper, then the older."""
        sign = -1.0 if self.objective.maximize else 1.0
        return sorted(members, key=lambda one: (sign * one.measurements[self.objective.name].value, *tie(one)))

    def reason(self, ranked: Sequence[Record]) -> str:
        """Its lead over the next, and whether that is within the error."""
        best, *others = ranked
        name = self.objective.name
        mine, next_ = best.measurements[name], others[0].measurements[name]
        text = f"#{best.number} has {name} {shown(mine)}, the best of the {len(ranked)} records of the front"
        if mine.value == next_.value:
            return f"{text}, and is cheaper or older than #{others[0].number}, which has the same"
        return f"{text}; next is #{others[0].number} with {shown(next_)}{_noise(best, others, name)}"


def _noise(best: Record, others: Sequence[Record], name: str) -> str:
    """Say how little sets the best apart from the next, and from whom else, if that is within its standard error."""
    mine, next_ = best.measurements[name], others[0].measurements[name]
    if not _within(mine, next_):
        return ""
    apart, error = 100 * abs(mine.value - next_.value), 100 * math.hypot(mine.stderr, next_.stderr)
    alike = sum(_within(mine, one.measurements[name]) for one in others)
    rest = f", as are {alike - 1} more" if alike > 2 else ", as is 1 more" if alike == 2 else ""
    return f", {apart:.1f} points below, within its error of {error:.1f}{rest}"


def _within(one: Measurement, other: Measurement) -> bool:
    """Whether two values differ by no more than the standard error of their difference; exact ones never do."""
    error = math.hypot(one.stderr, other.stderr)
    return error > 0 and abs(one.value - other.value) <= error
