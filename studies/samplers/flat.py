"""Samplers that propose a candidate as a whole, as a canonical point of the flat encoding.

Optuna's own would be asked for a number of each dimension, and its proposals may be points that are no candidate,
or another spelling of one that was tried: its model would take it for news, again and again. Here what is proposed
becomes canonical, and untried, before Optuna stores it: what a model sees later is what was evaluated.
"""

from collections.abc import Container, Sequence
from typing import Any, Protocol, cast

from optuna import Study
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.trial import FrozenTrial

from evaluators.seeds import number
from studies.samplers.either import Either
from studies.samplers.points import Point, Points
from studies.samplers.window import Finished, Front, Window


class Proposes(Protocol):
    """Where the next point comes from."""

    def __call__(self, study: Study, trial: FrozenTrial, tried: Container[Point]) -> Point:
        """A point for the trial, which follows from the seed, the trial's number and the trials before it.

        Args:
            study: with the finished trials.
            trial: that is asked for.
            tried: points of all other trials.
        """


class Whole(BaseSampler):
    """Gives Optuna the untried point that is nearest to a proposal; no draw depends on what was drawn before.

    Args:
        points: of the space.
        propose: where points come from.
    """

    def __init__(self, points: Points, propose: Proposes) -> None:
        self._points, self._propose, self._tried = points, propose, _Tried(points)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All dimensions, from the first trial on."""
        return distributions(self._points)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The canonical point that the trial is to evaluate."""
        tried = self._tried.beside(trial, study._get_trials(deepcopy=False, use_cache=True))
        point = self._propose(study, trial, tried)
        if point in tried:
            point = self._points.nearest(point, tried, trial.number)
        return self._points.params(point)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """By chance: what is no dimension of the space is nothing to this sampler."""
        seed = number(self._points.seed, "sampler", str(trial.number), f"parameter {param_name}") % 2**32
        return RandomSampler(seed=seed).sample_independent(study, trial, param_name, param_distribution)


class _Tried:
    """Points of trials; those of the first ones that are all finished are remembered."""

    def __init__(self, points: Points) -> None:
        self._names, self._settled = points.dimensions, 0
        self._finished: set[Point] = set()

    def beside(self, trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> Either:
        """The points of all trials but this one."""
        while self._settled < len(trials) and trials[self._settled].state.is_finished():
            self._finished |= self._of(trials[self._settled])
            self._settled += 1
        others = (one for one in trials[self._settled :] if one.number != trial.number)
        return Either(self._finished, {point for one in others for point in self._of(one)})

    def _of(self, trial: FrozenTrial) -> set[Point]:
        """Its point, unless it lacks a number of one."""
        known = trial.params.keys() >= self._names.keys()
        return {tuple(trial.params[name] for name in self._names)} if known else set()


class Gaussian:
    """A Gaussian process of every objective and constraint; chance until it has ten complete trials.

    Args:
        points: of the space.
        front: gives the numbers of the trials on the front; the model sees them and the latest (see `Window`).
    """

    def __init__(self, points: Points, front: Front) -> None:
        self._points, self._front = points, front

    def __call__(self, study: Study, trial: FrozenTrial, tried: Container[Point]) -> Point:
        """See `Proposes`."""
        points, seen = self._points, cast(Study, Finished(Window(study, self._front)))
        # A new one for each trial: its fit starts from the last one's kernel, which a resumed run has not got.
        model = GPSampler(seed=number(points.seed, "sampler", str(trial.number), "joint") % 2**32)
        found = model.sample_relative(seen, trial, distributions(points))
        if not found:
            return next(points.drawn("start", trial.number))
        single = {name: low for name, (low, _) in points.dimensions.items()}
        return points.point(single | found)


class Quasi:
    """Sobol's scrambled sequence, by the numbers of the trials."""

    def __init__(self, points: Points) -> None:
        self._points = points

    def __call__(self, study: Study, trial: FrozenTrial, tried: Container[Point]) -> Point:
        """See `Proposes`."""
        from scipy.stats.qmc import Sobol

        names, seed = self._points.dimensions, number(self._points.seed, "sampler", "sequence") % 2**32
        sequence = Sobol(len(names), scramble=True, seed=seed)
        places = sequence.fast_forward(trial.number).random()[0] if trial.number else sequence.random()[0]
        ends = names.values()
        values = [low + int(place * (high - low + 1)) for place, (low, high) in zip(places, ends, strict=True)]
        return self._points.point(self._points.params(tuple(values)))


class Exhaustive:
    """The first point, in an order that follows from the seed, which was not tried."""

    def __init__(self, points: Points) -> None:
        self._points = points

    def __call__(self, study: Study, trial: FrozenTrial, tried: Container[Point]) -> Point:
        """See `Proposes`."""
        order = self._points.shuffled
        return next((point for point in order if point not in tried), order[0])


def distributions(points: Points) -> dict[str, BaseDistribution]:
    """The dimensions with something to choose, as Optuna names them."""
    return {name: IntDistribution(low, high) for name, (low, high) in points.dimensions.items() if low < high}
