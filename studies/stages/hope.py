"""Whether a trial can still reach the front, given what is known of it."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import BOUND, OBJECTIVES
from studies.config import StudyConfig
from studies.fronts.bounds import Bounds
from studies.fronts.expected import expected_gains
from studies.fronts.hypervolume import hypervolume
from studies.fronts.pareto import Floats
from studies.records import Record, values_of

OTHER_IMAGES = 2.0
"""Standard errors that the accuracy of the attacked images may lie above that of all images."""

ABOVE: Mapping[str, tuple[str, ...]] = {name: ("acc",) for name, one in OBJECTIVES.items() if one.stage == "attack"} | {
    "pgd": (BOUND, "acc"),
    "certified": ("pgd", BOUND, "acc"),
}
"""What an accuracy that is not measured yet is at most; the first of these that is known."""

Members = Callable[[], Sequence[Record]]


class Hope:
    """Tells from a trial's measurements whether it can still reach the front.

    An accuracy that is not measured yet can turn out as high as what it is at most: under attack as high as the clean
    one, in the worst case as high as the share of images that stand so far. So what is lost would not have been on the
    front, whatever its last measurements had been; or, where the study has a margin, hardly have enlarged it.

    Args:
        config: of the study.
        bounds: of the study.
        members: gives the front's records.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds, members: Members) -> None:
        self._objectives, self._images, self._margin = config.objectives, config.budget.images, config.margin
        self._bounds, self._members = bounds, members

    def lost(self, known: Mapping[str, Measurement]) -> str:
        """Why the trial is hopeless: the record that beats it whatever comes; "" while there is hope.

        Args:
            known: what was measured so far.
        """
        best = best_case(known, self._objectives, self._images)
        members = self._members()
        if best is None or not members:
            return ""
        loss = self._bounds.normalise(best[None], self._objectives)
        losses = self._bounds.normalise(values_of(members, self._objectives), self._objectives)
        beaten = (losses <= loss).all(axis=1) & (losses < loss).any(axis=1)
        if beaten.any():
            return f"at its best still behind #{members[int(beaten.argmax())].number}"
        return self._little(loss, losses) if self._margin and not (loss < losses).all(axis=0).any() else ""

    def _little(self, loss: Floats, losses: Floats) -> str:
        """Why what is the best at nothing is not worth its end; "" where it adds as much as the margin, or more.

        Of a front without volume, nothing is a share.
        """
        gain = float(expected_gains(losses, loss, np.zeros_like(loss))[0])
        volume = hypervolume(losses, np.ones(len(self._objectives)))  # 0 where nothing withstands an attack
        return f"at its best {gain / volume:.2%} more hypervolume" if gain < self._margin * volume else ""


def best_case(known: Mapping[str, Measurement], objectives: Sequence[str], images: int) -> Floats | None:
    """The best values that a trial can still have, k in the objectives' units; None where one has no bound yet.

    Args:
        known: what was measured so far.
        objectives: names.
        images: of those on which the clean accuracy was measured, how many are attacked, 0 for all.
    """
    values = [_best(known, name, images) for name in objectives]
    return None if None in values else np.array(values, dtype=np.float64)


def at_most(known: Mapping[str, Measurement], name: str) -> str | None:
    """The measurement that a value is at most, as far as is known: its own where there is one; None without any."""
    return next((one for one in (name, *ABOVE.get(name, ())) if one in known), None)


def _best(known: Mapping[str, Measurement], name: str, images: int) -> float | None:
    """The measurement of this name, or of what it is at most; attacked images may be easier than all of them are."""
    above = at_most(known, name)
    if above is None:
        return None
    found = known[above]
    if above != "acc" or name == "acc" or not 0 < images < found.n:
        return found.value
    return min(1.0, found.value + OTHER_IMAGES * math.sqrt(found.n / images) * found.stderr)
