"""The loop: ask for a candidate, evaluate it, store its record, tell the sampler."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol as Interface

import optuna
from optuna.trial import FrozenTrial

from space.candidate import Candidate
from studies.config import StudyConfig
from studies.desk import ORIGIN, Desk
from studies.events import Stopped
from studies.repeats import Repeat, Repeats, as_trial, next_repeat
from studies.storage.shown import shown
from studies.storage.stored import RECORD
from studies.task import Task
from studies.trial import Evaluates, Outcome, evaluate

PAUSES = 0.05, 2.0
"""Seconds of the first and of the longest pause of a worker that waits for others."""


class Hands(Interface):
    """Who evaluates the trials of a run."""

    def work(self, desk: Desk) -> Stopped:
        """Evaluate until the desk says to stop, or nothing is left to do."""


class Alone:
    """Evaluates in this process, one trial after the other.

    Args:
        evaluator: of the study's protocol and budget.
        config: of the study.
    """

    def __init__(self, evaluator: Evaluates, config: StudyConfig) -> None:
        self._evaluator, self._config = evaluator, config

    def work(self, desk: Desk) -> Stopped:
        """See `Hands`."""
        pauses = growing(*PAUSES)
        while not isinstance(turn := desk.turn(), Stopped):
            if turn is None:
                time.sleep(next(pauses))
            else:
                pauses = growing(*PAUSES)
                self._try(desk, turn)
        return turn

    def _try(self, desk: Desk, task: Task) -> None:
        try:
            desk.hand_in(task, self._outcome(desk, task))
        except BaseException:
            desk.give_up(task)
            raise

    def _outcome(self, desk: Desk, task: Task) -> Outcome:
        if task.stored:
            return Outcome(state="failed", measurements={})  # stands for what is stored
        report = desk.begin(task.number, str(task.candidate))
        return task.known or evaluate(self._evaluator, task.candidate, self._config, report, desk.gate)


def growing(first: float, most: float) -> Iterator[float]:
    """Pauses, each half as long again as the one before."""
    while True:
        yield first
        first = min(1.5 * first, most)


def repeat_unsure(desk: Desk, trials: optuna.Study, config: StudyConfig, evaluator: Repeats, most: int) -> None:
    """Measure again by other seeds what may or may not be on the front.

    Args:
        desk: of the study, whose search is over.
        trials: the Optuna study.
        config: of the study.
        evaluator: with other seeds.
        most: measurements of one candidate.
    """
    whole = replace(config, limits=())  # a limit is for the mean
    while again := next_repeat(desk.memory.records, config, most):
        start, number = desk.seconds, len(trials.get_trials(deepcopy=False))
        report = desk.begin(number, again.first.candidate)
        outcome = evaluate(evaluator.repeated(again.run), Candidate.parse(again.first.candidate), whole, report)
        desk.add(_finished(again, outcome, trials, config, (desk.seconds - start, desk.at)))


def _finished(
    again: Repeat, outcome: Outcome, trials: optuna.Study, config: StudyConfig, times: tuple[float, float]
) -> Callable[[int], FrozenTrial]:
    """Makes the trial of a repetition under its number."""

    def made(number: int) -> FrozenTrial:
        record = again.record(outcome, number, *times)
        said = shown(record, config.objectives)
        attributes = {**said, RECORD: record.to_json(), ORIGIN: record.origin}
        return as_trial(record, trials.get_trials(deepcopy=False)[again.first.number], config, attributes)

    return made
