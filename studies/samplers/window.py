"""What a sampler is shown of a long study: its latest trials, and a few older ones."""

import copy
from collections import deque
from collections.abc import Callable, Container, Set
from functools import cached_property
from typing import Any

from optuna import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

Front = Callable[[], Set[int]]
"""Gives the numbers of the trials on the front."""

LATEST = 200
"""Finished trials that are shown beside the front.

A model of all trials takes time that grows with them, and learns little from what was tried long ago and was beaten.
"""


FINISHED = tuple(state for state in TrialState if state.is_finished())
"""States of what is told of no more."""


class Window:
    """Stands for a study before a sampler, and has all it has but older trials.

    Args:
        study: with all trials.
        older: gives the numbers of those that are always shown.
        latest: how many others are, the last ones; what ended otherwise, or began, since then is shown as well.
        counted: states of those others.
    """

    def __init__(
        self, study: Study, older: Front, latest: int = LATEST, counted: Container[TrialState] = FINISHED
    ) -> None:
        self._study, self._older, self._latest, self._counted = study, older, latest, counted

    @cached_property
    def _shown(self) -> list[FrozenTrial]:
        """By number; what is shown does not change under way."""
        trials = self._study._get_trials(deepcopy=False, use_cache=True)
        recent, found = deque[FrozenTrial](), 0
        while len(recent) < len(trials) and found < self._latest:
            recent.appendleft(trials[-1 - len(recent)])
            found += recent[0].state in self._counted
        first = len(trials) - len(recent)  # trials are numbered from 0, in their order
        older = sorted(self._older()) if first else []  # to tell them takes a look into the storage
        return [*(trials[one] for one in older if one < first), *recent]

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """As Optuna's own, under which its samplers look for trials."""
        found = [one for one in self._shown if states is None or one.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def __getattr__(self, name: str) -> Any:
        """What else a sampler asks for, the study answers."""
        return getattr(self._study, name)


class Finished:
    """Stands for a study before a model that needs every trial to have the same constraints, and takes a running
    trial for another worker's: a trial that was interrupted half way is running still, and must not see itself.
    """

    def __init__(self, study: Window) -> None:
        self._study = study

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """As Optuna's own, finished trials alone; a constraint that was not told of a trial counts as met."""
        found = [one for one in self._study._get_trials(deepcopy, states, use_cache) if one.state.is_finished()]
        names = sorted({name for one in found for name in one.constraints})
        return [one if list(one.constraints) == names else _constrained(one, names) for one in found]

    def __getattr__(self, name: str) -> Any:
        """What else a sampler asks for, the study answers."""
        return getattr(self._study, name)


def _constrained(trial: FrozenTrial, names: list[str]) -> FrozenTrial:
    return create_trial(
        state=trial.state,
        values=trial.values,
        params=trial.params,
        distributions=trial.distributions,
        constraints={name: trial.constraints.get(name, 0.0) for name in names},
    )
