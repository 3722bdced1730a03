"""The loop: ask for a candidate, evaluate it, store its record, tell the sampler."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from evaluators.base import Measurement
from evaluators.seeds import number
from space.candidate import Candidate
from space.errors import UserError
from studies.choice import ENUMERABLE
from studies.config import Stop
from studies.design import allowed, draws, something_new
from studies.events import Event, Measured, RunStarted, Stopped, TrialFinished, TrialStarted, Why
from studies.gate import Gate
from studies.header import Header
from studies.memory import Memory
from studies.plateau import PlateauWatch
from studies.proposals import Proposer
from studies.prospects import Foresees
from studies.records import GrowingFront, Origin, Record
from studies.repeats import Repeat, Repeats, as_trial, next_repeat
from studies.samplers import make_encoding, make_sampler
from studies.told import constraints, told
from studies.trial import Evaluates, Outcome, Report, evaluate, one_line
from studies.watch import Watch

RECORD = "record"
"""User attribute of an Optuna trial that holds its record: the source of truth."""

ORIGIN = "origin"
"""User attribute of an Optuna trial that did not come from the sampler: who proposed it."""

PATIENCE = 20
"""Free asks (duplicates, vetoes by cost) in a row, after which candidates are drawn at random."""

EXHAUSTED = 200
"""Free asks in a row after which there is nothing left to find."""

ALIKE = 3
"""Failures in a row with the same reason that end a run."""


def read_records(trials: optuna.Study) -> list[Record]:
    """Records of all finished trials, by number; UserError for a damaged one."""
    try:
        finished = [one for one in trials.get_trials(deepcopy=False) if one.state.is_finished()]
    except ValueError as error:  # what a database holds is no JSON
        raise UserError("damaged record", got=one_line(error), hint="take the database from a backup") from error
    return [_record(one.number, one.user_attrs[RECORD]) for one in finished if RECORD in one.user_attrs]


def _record(number: int, stored: Any) -> Record:
    try:
        record = Record.from_json(stored)
        Candidate.parse(record.candidate)
    except (AttributeError, KeyError, TypeError, ValueError, UserError) as error:
        hint = "take the study from a backup"
        raise UserError(f"damaged record of trial #{number}", got=one_line(error), hint=hint) from error
    return record


class Runner:
    """One run of a study, under its folder's lock.

    Args:
        trials: the Optuna study.
        header: what was fixed when it was created.
        evaluator: of the study's protocol and budget.
        stop: when to end.
        on_event: is told what happens.
        watch: started when the run began.
    """

    def __init__(
        self,
        trials: optuna.Study,
        header: Header,
        evaluator: Evaluates,
        stop: Stop,
        on_event: Callable[[Event], None],
        watch: Watch,
    ) -> None:
        self._trials, self._header, self._evaluator = trials, header, evaluator
        self._config, self._space = header.config, header.config.space
        self._stop, self._on_event = stop, on_event
        self._watch = watch
        self._memory = Memory(read_records(trials))
        self._earlier, self._before = len(self._memory.records), self._memory.seconds
        self._front = GrowingFront(self._config.objectives, self._config.terms, self._memory.records)
        self._plateau = (
            PlateauWatch(stop.plateau, self._config, header.bounds, self._memory.records) if stop.plateau else None
        )
        self._proposer = self._make_proposer()
        self._gate = Gate(self._config, header.bounds, self._front, self._memory.records)
        sampler, on_front = header.choice.chosen, lambda: {one.number for one in self._front.members}
        self._encoding = make_encoding(sampler, self._space)
        trials.sampler = make_sampler(sampler, self._config.seed, on_front, self._space)

    def run(self) -> Stopped:
        """Try candidates until there is a reason to stop."""
        self._on_event(
            RunStarted(
                records=self._earlier,
                evaluated=self._memory.evaluated,
                trials=self._stop.trials,
                seconds=self._stop.seconds,
            )
        )
        while (end := self._end()) is None:
            self._try_one(self._next_trial())
        if end.reason != "failures" and isinstance(self._evaluator, Repeats):
            while again := next_repeat(self._memory.records, self._config, self._stop.repeats):
                self._repeat(again, self._evaluator.repeated(again.run))
        return replace(end, seconds=self._seconds)

    def _end(self) -> Stopped | None:
        """The reason to start no further trial, or None."""
        if self._memory.evaluated >= self._stop.trials:
            return self._stopped("trials")
        if self._stop.seconds is not None and self._seconds >= self._stop.seconds:
            return self._stopped("seconds")
        failures = self._memory.failures_alike(self._earlier)
        if len(failures) >= ALIKE:
            return self._stopped("failures", failures[0].reason)
        if self._plateau and self._plateau.reached:
            return self._stopped("plateau", self._plateau.reached)
        if nothing_left := self._nothing_left():
            return self._stopped("space exhausted", nothing_left)
        return None

    def _nothing_left(self) -> str:
        """Why no new candidate can be found, or ""."""
        if len(self._memory.seen) >= self._space.size:
            return f"all {self._space.size} candidates of the space were tried"
        free = self._memory.free_in_a_row
        if free >= EXHAUSTED:
            return f"{free} proposals in a row brought nothing new"
        if free >= PATIENCE and self._space.size <= ENUMERABLE and self._something_new(0) is None:
            return "no candidate that was not tried fits the network and the limits"
        return ""

    def _next_trial(self) -> Trial:
        """Ask for a trial; one that a run left behind comes first and keeps what it was given."""
        left = self._trials.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if left:
            return Trial(self._trials, left[0]._trial_id)
        waiting = self._trials.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        proposal = None if waiting else self._proposal(self._memory.designs)
        if proposal is not None:
            candidate, origin = proposal
            self._trials.enqueue_trial(self._encoding.params(candidate), user_attrs={ORIGIN: origin})
        return self._trials.ask()

    def _proposal(self, trial: int) -> tuple[Candidate, Origin] | None:
        """The candidate of the trial and who proposes it, or None to leave it to the sampler."""
        if trial < len(self._header.design):
            return Candidate.parse(self._header.design[trial]), "design"
        if self._memory.free_in_a_row >= PATIENCE:
            chance = next(draws(self._space, self._number("chance", trial)))
            return self._something_new(trial) or chance, "chance"
        return self._proposer.propose(self._memory.records) if self._proposer else None

    def _make_proposer(self) -> Proposer | None:
        """Who proposes candidates of known members, if that is wanted and the evaluator can tell anything of them."""
        if self._config.proposals == "off" or not isinstance(self._evaluator, Foresees):
            return None
        return Proposer(self._config, self._header.bounds, self._evaluator)

    def _something_new(self, trial: int) -> Candidate | None:
        def may(candidate: Candidate) -> bool:
            return allowed(candidate, self._evaluator.cost, self._config.limits) is not None

        return something_new(self._space, self._memory.seen, may, self._number("new", trial))

    def _try_one(self, trial: Trial) -> None:
        """Evaluate a trial, unless that was done before a run was killed, and store it."""
        stored = trial.user_attrs.get(RECORD)
        record = Record.from_json(stored) if stored else self._evaluate(trial)
        if not stored:
            for name, value in constraints(record, self._config).items():
                if name not in trial.constraints:
                    trial.set_constraint(name, value)
            trial.set_user_attr(RECORD, record.to_json())
        state, values = told(record, self._config)
        self._trials.tell(trial, values, state)
        self._memory.add(record)
        self._gate.add(record)
        if self._plateau:
            self._plateau.add(record)
        self._announce(record)

    def _evaluate(self, trial: Trial) -> Record:
        start = self._seconds
        candidate = self._encoding.sample(trial)
        self._on_event(TrialStarted(number=trial.number, candidate=str(candidate)))
        outcome = self._outcome(trial.number, candidate)
        return Record(
            number=trial.number,
            candidate=str(candidate),
            key=candidate.key(),
            state=outcome.state,
            reason=outcome.reason,
            measurements=outcome.measurements,
            seconds=self._seconds - start,
            at=self._before + self._seconds,
            origin=trial.user_attrs.get(ORIGIN, "sampler"),
        )

    def _repeat(self, again: Repeat, evaluator: Evaluates) -> None:
        """Measure a candidate by other seeds, and store it as a trial that was never open: whole, or not at all."""
        trials, start = self._trials.get_trials(deepcopy=False), self._seconds
        number, candidate = len(trials), again.first.candidate
        self._on_event(TrialStarted(number=number, candidate=candidate))
        config = replace(self._config, limits=())  # a limit is for the mean
        outcome = evaluate(evaluator, Candidate.parse(candidate), config, self._reporter(number))
        record = again.record(outcome, number, self._seconds - start, self._before + self._seconds)
        attributes = {RECORD: record.to_json(), ORIGIN: record.origin}
        self._trials.add_trial(as_trial(record, trials[again.first.number], self._config, attributes))
        self._memory.add(record)
        self._front = GrowingFront(self._config.objectives, self._config.terms, self._memory.records)
        self._announce(record)

    def _reporter(self, trial: int) -> Report:
        """What tells of the measurements of a trial."""

        def report(name: str, measurement: Measurement) -> None:
            self._on_event(Measured(number=trial, name=name, measurement=measurement))

        return report

    def _outcome(self, trial: int, candidate: Candidate) -> Outcome:
        if (known := self._memory.earlier(candidate.key())) is None:
            return evaluate(self._evaluator, candidate, self._config, self._reporter(trial), self._gate)
        reason = f"same as #{known.number}" + (f", {known.state}: {known.reason}" if known.reason else "")
        return Outcome(state="duplicate", measurements=known.measurements, reason=reason)

    def _announce(self, record: Record) -> None:
        self._front.add(record)
        alike = (one for one in self._front.members if one.key == record.key)
        self._on_event(
            TrialFinished(
                record=record,
                evaluated=self._memory.evaluated,
                front=self._front.members,
                on_front=any(record.repeats or one.number == record.number for one in alike),
            )
        )

    @property
    def _seconds(self) -> float:
        """Running time of this run."""
        return self._watch.seconds

    def _number(self, purpose: str, trial: int) -> int:
        return number(self._config.seed, purpose, str(trial))

    def _stopped(self, reason: Why, detail: str = "") -> Stopped:
        evaluated = self._memory.evaluated
        return Stopped(reason=reason, detail=detail, evaluated=evaluated, seconds=self._seconds)
