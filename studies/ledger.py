"""What a run knows of its study's finished trials, and what follows for the next."""

from collections.abc import Callable
from itertools import count

import optuna
from optuna.trial import FrozenTrial

from studies.config import Stop
from studies.events import Event, TrialFinished, Why
from studies.failures import FailureWatch
from studies.header import Header
from studies.memory import Memory
from studies.records import GrowingFront, Record
from studies.stages.gate import Gate
from studies.stages.plateau import PlateauWatch
from studies.storage.stored import finished, stored


class Ledger:
    """Takes in the records that this process and others store, each once and in the order of their trials' ends.

    Attributes:
        memory: of the records.
        own: whether this run's own trials fail again and again.
        gate: may end a trial early.

    Args:
        trials: the Optuna study.
        header: what was fixed when it was created.
        stop: when the run is to end.
        on_event: is told of each trial that is finished from now on.
    """

    def __init__(self, trials: optuna.Study, header: Header, stop: Stop, on_event: Callable[[Event], None]) -> None:
        self._trials, self._config, self._stop, self._on_event = trials, header.config, stop, on_event
        self.memory, self.own = Memory(), FailureWatch()
        for trial in finished(trials):
            if record := stored(trial):
                self.memory.add(record)
        records = self.memory.records
        taken = {record.number for record in records}
        self._settled = next(number for number in count() if number not in taken)
        self._taken = {number for number in taken if number > self._settled}
        self._front = GrowingFront(self._config.objectives, self._config.terms, records)
        self._plateau = PlateauWatch(stop.plateau, self._config, header.bounds, records) if stop.plateau else None
        self.gate = Gate(self._config, header.bounds, self._front, records)

    def catch_up(self) -> list[FrozenTrial]:
        """Take in what was stored since the last look, and tell of it; gives the trials that are not finished."""
        trials = self._trials.get_trials(deepcopy=False)
        for trial in trials[self._settled :]:
            if trial.number not in self._taken and (record := stored(trial)):
                self._taken.add(trial.number)
                self._take(record)
        while self._settled < len(trials) and trials[self._settled].state.is_finished():
            self._taken.discard(self._settled)
            self._settled += 1
        return [trial for trial in trials[self._settled :] if not trial.state.is_finished()]

    def full(self, seconds: float) -> tuple[Why, str] | None:
        """Why no further trial is to start after so many seconds, and the particulars; None while one is."""
        if self.memory.evaluated >= self._stop.trials:
            return "trials", ""
        if self._stop.seconds is not None and seconds >= self._stop.seconds:
            return "seconds", ""
        if self.own.reached:
            return "failures", self.own.reached
        if self._plateau and self._plateau.reached:
            return "plateau", self._plateau.reached
        return None

    def on_front(self) -> set[int]:
        """Numbers of the trials on the front."""
        return {one.number for one in self._front.members}

    def _take(self, record: Record) -> None:
        """Take in one more record, and tell of it."""
        self.memory.add(record)
        if record.repeats:
            self._front.renew(self.memory.records)
        else:
            self.gate.add(record)
            if self._plateau:
                self._plateau.add(record)
        self._front.add(record)
        alike = (one for one in self._front.members if one.key == record.key)
        self._on_event(
            TrialFinished(
                record=record,
                evaluated=self.memory.evaluated,
                front=self._front.members,
                on_front=any(record.repeats or one.number == record.number for one in alike),
            )
        )
