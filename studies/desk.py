"""The desk of a study: hands out trials, takes their outcomes in, and says when to stop."""

import warnings
from collections.abc import Callable
from contextlib import suppress

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from evaluators.base import Measurement
from space.candidate import Candidate
from studies.config import Stop
from studies.events import Event, Measured, Stopped, TrialStarted, Why
from studies.header import Header
from studies.ledger import Ledger
from studies.memory import Memory
from studies.proposals.nominations import PATIENCE, Nominations
from studies.records import Record
from studies.samplers.choice import ENUMERABLE
from studies.samplers.named import make_encoding, make_sampler
from studies.stages.gate import Gate
from studies.storage.patience import Lost
from studies.storage.stored import RECORD, store
from studies.task import Task
from studies.trial import Evaluates, Outcome, Report
from studies.watch import Watch
from studies.workers.claims import CLAIM, Claim
from studies.workers.colleagues import Colleagues
from studies.workers.signs import Life

ORIGIN = "origin"
"""User attribute of an Optuna trial that did not come from the sampler: who proposed it."""

EXHAUSTED = 200
"""Free asks in a row after which there is nothing left to find."""

PARKED = 3
"""Asks in a turn that bring what another worker evaluates, after which a candidate is drawn at random."""

DEATHS = 5
"""Workers that may die over a trial until it counts as failed."""


class Desk:
    """Asks and tells for whoever evaluates, beside the desks of other processes at the same study.

    What others have stored is taken in at every turn, and what they evaluate is left to them: nobody is handed a
    candidate that is being evaluated. What a dead worker left is handed out again, as the same trial.

    Args:
        trials: the Optuna study.
        header: what was fixed when it was created.
        evaluator: of the study's protocol and budget; only asked for what costs nothing.
        stop: when to end.
        on_event: is told what happens.
        watch: started when the run began.
        colleagues: the other workers.
    """

    def __init__(
        self,
        trials: optuna.Study,
        header: Header,
        evaluator: Evaluates,
        stop: Stop,
        on_event: Callable[[Event], None],
        watch: Watch,
        colleagues: Colleagues,
    ) -> None:
        self._trials, self._config, self._space = trials, header.config, header.config.space
        self._stop, self._on_event, self._watch, self._colleagues = stop, on_event, watch, colleagues
        self._ledger = Ledger(trials, header, stop, on_event)
        self._before = self.memory.seconds
        self._nominations = Nominations(header, evaluator, self.memory)
        sampler, self._busy = header.choice.chosen, dict[str, Claim]()
        self._encoding = make_encoding(sampler, self._space)
        trials.sampler = make_sampler(
            sampler, self._config.seed, self._ledger.on_front, self._space, lambda: bool(self._busy)
        )

    @property
    def memory(self) -> Memory:
        """Of the study's records."""
        return self._ledger.memory

    @property
    def gate(self) -> Gate:
        """May end a trial early."""
        return self._ledger.gate

    @property
    def seconds(self) -> float:
        """Running time of this run."""
        return self._watch.seconds

    @property
    def at(self) -> float:
        """Running seconds of the study."""
        return self._before + self.seconds

    def turn(self) -> Task | Stopped | None:
        """The next trial to evaluate; why there is none; or None while that depends on what others evaluate."""
        while True:
            turn: Task | Stopped | None = None
            try:
                with self._colleagues.turn():
                    turn = self._turn()
            except (Lost, UpdateFinishedTrialError):  # another may have had its turn as well: look at it again
                if isinstance(turn, Task):
                    self._colleagues.drop(turn.trial._trial_id)
                continue
            return turn

    def begin(self, number: int, candidate: str) -> Report:
        """Announce that a trial is evaluated; gives what tells of its measurements."""
        self._on_event(TrialStarted(number=number, candidate=candidate))

        def report(name: str, measurement: Measurement) -> None:
            self._on_event(Measured(number=number, name=name, measurement=measurement))

        return report

    def hand_in(self, task: Task, outcome: Outcome) -> Record:
        """Store the record of a trial and tell the sampler, unless another worker did meanwhile."""
        record = self._record(task, outcome)
        with suppress(UpdateFinishedTrialError):  # where a server goes away within a turn, two workers may have it
            record = store(self._trials, task.trial, record, self._config)
        self._colleagues.drop(task.trial._trial_id)
        self._ledger.own.add(record)
        self.catch_up()
        self._colleagues.rest()
        return record

    def give_up(self, task: Task) -> None:
        """Leave a trial to whoever comes next."""
        left = Claim(candidate=str(task.candidate), key=task.candidate.key(), deaths=task.deaths)
        self._colleagues.release(task.trial, left)

    def lose(self, task: Task) -> None:
        """Have a trial handed out again, because who evaluated it has died."""
        self._colleagues.drop(task.trial._trial_id)
        left = Claim(candidate=str(task.candidate), key=task.candidate.key(), deaths=task.deaths + 1)
        task.trial.set_user_attr(CLAIM, left.to_json())

    def catch_up(self) -> list[FrozenTrial]:
        """Take in what was stored since the last look, and tell of it; gives the trials that are not finished."""
        return self._ledger.catch_up()

    def end(self) -> Stopped | None:
        """The reason to start no further trial, or None."""
        full = self._ledger.full(self.seconds)
        return self.stopped(*full) if full else None

    def add(self, finished: Callable[[int], FrozenTrial]) -> None:
        """Store a trial that was never open: whole, or not at all; it is made when its number is known."""
        with self._colleagues.turn():
            self._trials.add_trial(finished(len(self._trials.get_trials(deepcopy=False))))
        self.catch_up()

    def stopped(self, reason: Why, detail: str = "") -> Stopped:
        """Why a run ends now."""
        return Stopped(reason=reason, detail=detail, evaluated=self.memory.evaluated, seconds=self.seconds)

    def _turn(self) -> Task | Stopped | None:
        """What `turn` gives, while it is nobody else's; a trial begins when it is decided that there is one."""
        since, waiting = self.seconds, self.catch_up()
        if full := self._ledger.full(since):
            return self.stopped(*full)
        running = [trial for trial in waiting if trial.state == TrialState.RUNNING]
        lives = self._colleagues.look(running)
        claims = {one._trial_id: Claim.of(one) for one in running}
        self._busy = {claims[trial].key: claims[trial] for trial, life in lives.items() if life == "alive"}
        if nothing_left := self._nothing_left():
            return None if self._busy else self.stopped("space exhausted", nothing_left)
        if self.memory.evaluated + sum(life == "alive" for life in lives.values()) >= self._stop.trials:
            return None
        left = [
            one for one in running if lives[one._trial_id] != "alive" and claims[one._trial_id].key not in self._busy
        ]
        if left:
            return self._resumed(left[0], lives[left[0]._trial_id], since)
        return self._asked(len(waiting) > len(running), since)

    def _resumed(self, left: FrozenTrial, life: Life, since: float) -> Task | None:
        """A trial that a run left behind; it keeps what it was given."""
        claim = Claim.of(left)
        deaths = claim.deaths + (life == "died")
        self._trials._thread_local.cached_all_trials = None
        task = self._task(Trial(self._trials, left._trial_id), since, deaths)
        self._colleagues.forget(claim.worker)
        return task

    def _asked(self, queued: bool, since: float) -> Task | None:
        """A new trial; what another worker evaluates right now waits for that."""
        pending = [Candidate.parse(claim.candidate) for claim in self._busy.values()]
        for attempt in range(PARKED + 1):
            index = self._begun()
            if attempt < PARKED:
                nominated = None if queued and not attempt else self._nominations.of(index, pending)
            elif (new := self._nominations.new(index, pending)) is None:
                return None
            else:
                nominated = new, "chance"
            if nominated is not None:
                candidate, origin = nominated
                self._trials.enqueue_trial(self._encoding.params(candidate), user_attrs={ORIGIN: origin})
            if task := self._task(self._ask(), since):
                return task
        return None

    def _ask(self) -> Trial:
        with warnings.catch_warnings():
            # Optuna's hearts beat in its own loop alone; here `Colleagues` lets them beat.
            warnings.filterwarnings("ignore", message="Heartbeat of storage")
            return self._trials.ask()

    def _task(self, trial: Trial, since: float, deaths: int = 0) -> Task | None:
        """Claim a trial, or let it wait where another worker evaluates its candidate."""
        attributes, candidate = trial.user_attrs, self._encoding.sample(trial)
        claim = Claim(candidate=str(candidate), key=candidate.key(), deaths=deaths)
        parked = claim.key in self._busy
        if not parked:
            claim = self._colleagues.claim(trial._trial_id, claim)
        trial.set_user_attr(CLAIM, claim.to_json())
        if parked:
            return None
        stored = RECORD in attributes
        known = self._known(candidate) if deaths < DEATHS else _died(deaths)
        return Task(trial=trial, candidate=candidate, since=since, known=known, stored=stored, deaths=deaths)

    def _known(self, candidate: Candidate) -> Outcome | None:
        """The outcome of a candidate that was tried before."""
        if (known := self.memory.earlier(candidate.key())) is None:
            return None
        reason = f"same as #{known.number}" + (f", {known.state}: {known.reason}" if known.reason else "")
        return Outcome(state="duplicate", measurements=known.measurements, reason=reason)

    def _nothing_left(self) -> str:
        """Why no new candidate can be found, or ""."""
        new = sum(key not in self.memory.seen for key in self._busy)
        if len(self.memory.seen) + new >= self._space.size:
            return f"all {self._space.size} candidates of the space were tried"
        free = self.memory.free_in_a_row
        if free >= EXHAUSTED:
            return f"{free} proposals in a row brought nothing new"
        pending = [Candidate.parse(claim.candidate) for claim in self._busy.values()]
        if free >= PATIENCE and self._space.size <= ENUMERABLE and self._nominations.new(0, pending) is None:
            return "no candidate that was not tried fits the network and the limits"
        return ""

    def _begun(self) -> int:
        """How many trials there are, repetitions left out."""
        repeats = len(self.memory.records) - self.memory.designs
        return len(self._trials.get_trials(deepcopy=False)) - repeats

    def _record(self, task: Task, outcome: Outcome) -> Record:
        return Record(
            number=task.number,
            candidate=str(task.candidate),
            key=task.candidate.key(),
            state=outcome.state,
            reason=outcome.reason,
            measurements=outcome.measurements,
            seconds=self.seconds - task.since,
            at=self.at,
            origin=task.trial.user_attrs.get(ORIGIN, "sampler"),
        )


def _died(deaths: int) -> Outcome:
    return Outcome(state="failed", measurements={}, reason=f"{deaths} workers died while they evaluated it")
