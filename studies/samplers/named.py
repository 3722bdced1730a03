"""Optuna's samplers by name, made reproducible over interruptions."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from evaluators.seeds import number
from space.encoding import Conditional, Encoding
from space.flat import Flat
from space.space import SearchSpace
from studies.samplers.flat import Exhaustive, Gaussian, Proposes, Quasi, Whole
from studies.samplers.points import Points
from studies.samplers.window import Front, Window

GENETIC = NSGAIISampler | NSGAIIISampler
"""Samplers that learn from generations of trials."""

GENERATIONS = 500
"""Latest complete trials among which those of the latest generations are, with however many workers.

No others make a generation: where limits are hard to meet, it takes any number of trials.
"""

COMPLETE = (TrialState.COMPLETE,)

POPULATION = 20
"""Of nsga2 and nsga3: a study has tens to hundreds of trials, and Optuna's 50 would stay random for most of them."""


class Seeded(BaseSampler):
    """A sampler whose draws follow from a seed, the trial's number, a parameter's name and finished trials.

    Optuna's samplers carry a random state from trial to trial and from parameter to parameter, which is lost
    with the process. Here each trial, and each parameter that is drawn on its own, gets a new sampler with a
    seed of its own, so that a trial which was interrupted half way through its suggestions goes on as it
    would have.

    Args:
        make: builds a sampler from a seed of 32 bits.
        seed: of the study.
        front: gives the numbers of the trials on the front, which a model sees beside the latest (see `Window`);
            generations see their parents instead.
    """

    _window: Study  # of the trial that began last; Optuna begins each before it asks for any of it

    def __init__(self, make: Callable[[int], BaseSampler], seed: int, front: Front) -> None:
        self._make, self._seed, self._front = make, seed, front
        self._joint = self._fresh(0, "joint")

    def _fresh(self, trial: int, purpose: str) -> BaseSampler:
        return self._make(number(self._seed, "sampler", str(trial), purpose) % 2**32)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Start the trial with a sampler of its own."""
        self._joint = self._fresh(trial.number, "joint")
        if isinstance(self._joint, GENETIC):
            # A trial whose parameters were fixed is never asked for, but should be a parent all the same.
            shown = self._shown(study)
            generation = self._joint.get_trial_generation(shown, trial)
            # Who asks first gets the parents by merit, who asks later by number: let nobody be the first.
            self._joint.get_parent_population(shown, generation)
        self._window = self._shown(study)  # once: to walk back takes a look at each trial, and at every generation

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Ask the trial's sampler."""
        return self._joint.infer_relative_search_space(self._window, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Ask the trial's sampler."""
        return self._joint.sample_relative(self._window, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Ask a sampler of this parameter's own, whatever was drawn before."""
        sampler = self._fresh(trial.number, f"parameter {param_name}")
        return sampler.sample_independent(self._window, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Tell the trial's sampler."""
        self._joint.after_trial(study, trial, state, values)

    def _shown(self, study: Study) -> Study:
        """A window on the study."""
        if isinstance(self._joint, GENETIC):
            prefix = self._joint._get_parent_cache_key_prefix()
            return cast(Study, Window(study, lambda: _parents(study, prefix), GENERATIONS, COMPLETE))
        return cast(Study, Window(study, self._front))


def _parents(study: Study, prefix: str) -> set[int]:
    """Numbers of the trials that the two latest generations descend from, as Optuna stores them."""
    known = study._storage.get_study_system_attrs(study._study_id)
    latest = sorted((name for name in known if name.startswith(prefix)), key=lambda name: int(name[len(prefix) :]))[-2:]
    return {study._storage.get_trial(one).number for name in latest for one in known[name]}


def make_encoding(name: str, space: SearchSpace) -> Encoding:
    """The encoding that suits the named sampler: flat for those that take a candidate as a whole."""
    return Flat(space) if name in WHOLE else Conditional(space)


def make_sampler(
    name: str, seed: int, front: Front, space: SearchSpace, crowded: Callable[[], bool] = lambda: False
) -> BaseSampler:
    """Build the named sampler.

    Args:
        name: one of SAMPLERS, not `auto`.
        seed: of the study.
        front: gives the numbers of the trials on the front.
        space: that is searched, in the encoding which `make_encoding` gives for the sampler.
        crowded: whether others evaluate trials right now, which a density model then takes for bad ones, so that it
            proposes something else.
    """
    if name in WHOLE:
        points = Points(space, seed)
        return Whole(points, WHOLE[name](points, front))
    return Seeded((lambda seed: _tpe(seed, liar=crowded())) if name == "tpe" else MAKERS[name], seed, front)


def _tpe(seed: int, *, liar: bool = False) -> BaseSampler:
    with warnings.catch_warnings():
        # group=True is "experimental": it keeps conditional parameters apart, which this space needs.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=liar)


def _nsga2(seed: int) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=POPULATION)


def _nsga3(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # so it has been called since 2023
        return NSGAIIISampler(seed=seed, population_size=POPULATION)


def _random(seed: int) -> BaseSampler:
    return RandomSampler(seed=seed)


MAKERS: dict[str, Callable[[int], BaseSampler]] = {"tpe": _tpe, "nsga2": _nsga2, "nsga3": _nsga3, "random": _random}
"""Optuna's samplers that know conditional parameters; each is made from a seed of 32 bits."""

WHOLE: dict[str, Callable[[Points, Front], Proposes]] = {
    "gp": Gaussian,
    "qmc": lambda points, front: Quasi(points),
    "exhaustive": lambda points, front: Exhaustive(points),
}
"""What proposes whole candidates, as points of the flat encoding."""
