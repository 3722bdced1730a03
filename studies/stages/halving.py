"""Successive halving by non-dominated rank: which trials go on from a rung of epochs."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, runtime_checkable
from typing import Protocol as Interface

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES, rung_name
from space.candidate import Candidate
from studies.fronts.pareto import Floats, as_points, non_dominated
from studies.keys import Keys

if TYPE_CHECKING:
    from studies.config import StudyConfig
    from studies.records import Record

ETA = 2.0
"""One in so many goes on from a rung."""

LEAST = 6
"""Trials that must have reached a rung, the one in question included, before any is stopped there."""

COMPANY = 256
"""Latest trials at a rung with which one is compared: to rank it among all would take ever longer in a long study."""

DOUBT = 1.0
"""Standard errors of its accuracy that a trial is given in its favour."""


class Arrival(NamedTuple):
    """A trial that came as far as a rung.

    Attributes:
        number: of its record.
        losses: there.
    """

    number: int
    losses: list[float]


@runtime_checkable
class Climbs(Interface):
    """What rungs need of an evaluator beyond what every study does."""

    def rung_accuracy(self, candidate: Candidate, epochs: int) -> Measurement | None:
        """The accuracy of members that have trained only so far; None where that cannot be told any more."""


class Rungs:
    """The rungs of a study, and who goes on from them: the best 1/η of the trials that came so far.

    Trials are asked one by one, as they come, and nobody waits (asynchronous successive halving that stops: Li et al.
    2020); of those that came, the latest COMPANY count. Several objectives are ranked by non-dominated sorting, and
    within a front by how far each is from those ranked before it (an ε-net, as in MO-ASHA: Schmucker et al. 2021).
    Unlike there, what nothing at the rung dominates always goes on. Where accuracy under attack is an objective, which
    no rung knows, trials are compared with those of their own recipe, and coarser input counts as one more objective:
    both give up accuracy for robustness.

    Attributes:
        epochs: after which a trial may end, ascending.
    """

    def __init__(self, config: "StudyConfig", *, eta: float = ETA, least: int = LEAST) -> None:
        self.epochs = config.rungs
        self._costs = tuple(name for name in config.objectives if OBJECTIVES[name].stage == "cost")
        self._attacked = any(OBJECTIVES[name].stage == "attack" for name in config.objectives)
        self._eta, self._least = eta, least
        self._arrivals: dict[tuple[str, str], dict[str, Arrival]] = {}
        self._first: dict[tuple[str, str], Keys] = {}  # numbers of all that ever arrived

    def add(self, record: "Record") -> None:
        """Take in the record of a trial; those that hold `rung_name(rung)` reached the rung, the first of a design."""
        for name in map(rung_name, self.epochs):
            if name in record.measurements and record.state != "duplicate":
                self._arrive(record, name)

    def decide(self, candidate: Candidate, rung: int, measured: Mapping[str, Measurement]) -> str:
        """Why a trial should end at a rung, in one line; "" if it goes on. Follows from the records, in any order.

        Args:
            candidate: of the trial.
            rung: epochs.
            measured: of the trial, at least `rung_name(rung)` and the costs among the objectives.
        """
        name = rung_name(rung)
        before = [one.losses for one in sorted(self._arrivals.get(self._company(candidate, name), {}).values())]
        points = np.array([*before, self._losses(candidate, measured, name, DOUBT)])
        if len(points) < self._least:
            return ""
        place, quota = rank_of_last(points), max(1, math.ceil(len(points) / self._eta))
        if place <= quota or non_dominated(points, [False] * points.shape[1])[-1]:
            return ""
        return f"{name} {measured[name].value:.4g} ranks {place} of {len(points)}, and the best {quota} go on"

    def _arrive(self, record: "Record", name: str) -> None:
        candidate = Candidate.parse(record.candidate)
        company = self._company(candidate, name)
        arrivals, first = self._arrivals.setdefault(company, {}), self._first.setdefault(company, Keys())
        if record.key not in first or record.number < first.get(record.key, record.number):
            first[record.key] = record.number
            losses = self._losses(candidate, record.measurements, name)
            arrivals[record.key] = Arrival(record.number, losses)
        if len(arrivals) > COMPANY:
            del arrivals[min(arrivals, key=lambda key: arrivals[key].number)]

    def _company(self, candidate: Candidate, name: str) -> tuple[str, str]:
        """Names those with whom a candidate is compared."""
        return name, candidate.recipe if self._attacked else ""

    def _losses(
        self, candidate: Candidate, measured: Mapping[str, Measurement], name: str, doubt: float = 0.0
    ) -> list[float]:
        """All to be minimised; costs and input bits on a log scale, as everywhere."""
        accuracy = measured[name].value + doubt * measured[name].stderr
        costs = [math.log2(max(measured[cost].value, 1e-9)) for cost in self._costs]
        return [-accuracy, *costs, *([math.log2(candidate.input_bits)] if self._attacked else [])]


def rank_of_last(points: Floats) -> int:
    """Rank of the last of the points, from 1: by fronts, and within its own by `spread`.

    Args:
        points: n x k losses, n >= 1, finite.
    """
    points = as_points(points, np.shape(points)[1])
    left = np.arange(len(points))
    passed = 0
    while not (front := non_dominated(points[left], [False] * points.shape[1]))[-1]:
        passed += int(front.sum())
        left = left[~front]
    own = left[front]
    return passed + 1 + spread(_unit(points)[own]).index(len(own) - 1)


def spread(points: Floats) -> list[int]:
    """Order points so that each is the one farthest from all before it; the least of the first column begins.

    Args:
        points: n x k.
    Returns: their indices; of equally far ones the earliest comes first.
    """
    if not len(points):
        return []
    order = [int(np.argmin(points[:, 0]))]
    nearest = np.full(len(points), np.inf)
    while len(order) < len(points):
        nearest = np.minimum(nearest, np.linalg.norm(points - points[order[-1]], axis=1))
        nearest[order[-1]] = -np.inf  # taken
        order.append(int(np.argmax(nearest)))
    return order


def _unit(points: Floats) -> Floats:
    """Each column stretched to [0, 1]; one without width is 0."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.asarray((points - low) / np.where(high > low, high - low, 1.0), dtype=np.float64)
