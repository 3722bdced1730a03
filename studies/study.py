"""A study: one folder, one identity, all of its records."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import optuna

from evaluators.objectives import find_objectives
from space.errors import UserError, unwritable
from studies.config import Stop, StudyConfig, check_same
from studies.desk import Desk
from studies.events import Event, RunStarted, RunStopped, Stopped
from studies.fronts.bounds import Bounds
from studies.fronts.probability import front_probability
from studies.header import Header, make_header, versions
from studies.limits import Limit
from studies.records import Record, front
from studies.repeats import Repeats
from studies.runner import Alone, Hands, repeat_unsure
from studies.samplers.choice import Choice
from studies.storage.files import make_folder
from studies.storage.mounts import network_filesystem
from studies.storage.place import (
    HEADER,
    STOP,
    Place,
    check_new,
    check_writable,
    create_study,
    find_study,
    locate,
    locked,
    reach,
)
from studies.storage.stored import finished, stored
from studies.trial import Evaluates, one_line
from studies.watch import Watch
from studies.workers.colleagues import Colleagues


def ignore(event: Event) -> None:
    """Hear nothing of what a run tells."""


class Study:
    """One folder, one identity, all of its records.

    Get one by `open` (to run it) or `load` (to read it). Any number of processes may read; one may run.
    """

    def __init__(self, place: Place, config: StudyConfig, trials: optuna.Study | None) -> None:
        self._place, self._trials = place, trials
        self._header = None if trials is None else _header(trials)
        self.folder, self.config = place.folder, self._header.config if self._header else config
        self.resumed = trials is not None
        self._known: dict[int, Record] = {}
        self._probability: tuple[int, dict[int, float]] = 0, {}

    @classmethod
    def open(cls, folder: Path | str, config: StudyConfig, storage: str | None = None) -> Self:
        """Resume the study in a folder, or prepare a new one, which `run` will write.

        Args:
            folder: is created by `run` if need be.
            config: must equal that of the study, if there is one.
            storage: URL of a database for Optuna, or None for a journal in the folder.
        Raises: UserError naming the first field that differs, for a folder that can't be written or holds what is
            left of a study, and for a damaged or unreachable storage.
        """
        place = locate(Path(folder), storage)
        trials = find_study(place)
        if trials is None:
            check_new(place.folder)
        else:
            _header(trials).check_resumable(config, place.folder)
        check_writable(place.folder)
        return cls(place, config, trials)

    @classmethod
    def load(cls, folder: Path | str, storage: str | None = None) -> Self:
        """Read the study in a folder, or of that name in a database; UserError where there is none."""
        place = reach(Path(folder), storage)
        trials = find_study(place)
        if trials is None:
            missing = "it is a file" if place.folder.is_file() else "there is no such folder"
            hint = "it holds no finished set-up of a run" if place.folder.is_dir() else missing
            raise UserError("no study", got=str(folder), expected="the folder of a run", hint=hint)
        return cls(place, _header(trials).config, trials)

    @property
    def bounds(self) -> Bounds | None:
        """Frozen bounds of the costs; None before the first run."""
        return self._header.bounds if self._header else None

    @property
    def choice(self) -> Choice | None:
        """Who proposes candidates, and why; None before the first run."""
        return self._header.choice if self._header else None

    @property
    def design(self) -> tuple[str, ...]:
        """Candidates that were chosen to be tried first; empty before the first run."""
        return self._header.design if self._header else ()

    @property
    def versions(self) -> dict[str, str]:
        """Versions the study was created with; empty before the first run."""
        return dict(self._header.versions) if self._header else {}

    def records(self) -> list[Record]:
        """Records of all finished trials, by number, as they are in the storage now."""
        for trial in finished(self._trials) if self._trials else ():
            if trial.number not in self._known and (record := stored(trial)):
                self._known[trial.number] = record  # it will not change
        return [record for _, record in sorted(self._known.items())]

    def front(self, limits: tuple[Limit, ...] = ()) -> list[Record]:
        """Non-dominated records that the study's terms admit, with `limits` on top; by number."""
        return front(self.records(), self.config.objectives, self.config.terms.tightened(limits))

    def front_probability(self) -> dict[int, float]:
        """How sure it is that each admitted record is on the front, by number; see `studies.fronts.probability`."""
        records = self.records()
        if self._probability[0] != len(records):  # records are never changed, and never taken away
            terms = self.config.terms
            found = front_probability(records, self.config.objectives, terms, self.config.seed)
            self._probability = len(records), found
        return self._probability[1]

    def run(
        self,
        evaluator: Evaluates,
        stop: Stop,
        on_event: Callable[[Event], None] = ignore,
        clock: Callable[[], float] = time.monotonic,
        hands: Hands | None = None,
    ) -> Stopped:
        """Try candidates until `stop` says so. A run that is interrupted or killed is resumed by the next.

        Args:
            evaluator: with the study's protocol and budget.
            stop: when to end; workers that join go by it too.
            on_event: is told what happens, in the order in which it does.
            clock: seconds by which trials and the run are timed; a replayed study has its own.
            hands: who evaluates; this process alone where left out.
        Returns: why it ended; KeyboardInterrupt ends it too, with everything finished kept.
        Raises: UserError, before anything is written, for limits that nobody can meet or a folder that can't
            be written; and when another run is writing here. ValueError for an evaluator of another study, or of
            one seed where repetitions are wanted.
        """
        if (evaluator.protocol, evaluator.budget) != (self.config.protocol, self.config.budget):
            raise ValueError("the evaluator has another protocol or budget than the study")
        if stop.repeats > 1 and not isinstance(evaluator, Repeats):
            raise ValueError("the evaluator has no other seeds to repeat a measurement with")
        watch = Watch(clock)

        def search() -> Stopped:
            header = self._header or make_header(self.config, evaluator, stop.trials)
            with self._writing(header) as (trials, _), self._desk(evaluator, stop, on_event, watch) as desk:
                trials.set_user_attr(STOP, stop.to_json())
                return self._searched(desk, evaluator, stop, hands)

        return self._stopped(search, on_event, watch)

    def join(self, evaluator: Evaluates, stop: Stop, on_event: Callable[[Event], None] = ignore) -> Stopped:
        """Evaluate beside the run that this study has or had, until `stop` says so; as `run`, but creates nothing.

        Raises: UserError for an evaluator of another protocol or budget, and for a storage that can't be shared.
        """
        self._place.check_shared()
        self.check_same(evaluator)
        watch = Watch(time.monotonic)

        def search() -> Stopped:
            with self._desk(evaluator, stop, on_event, watch) as desk:
                return Alone(evaluator, self.config).work(desk)

        return self._stopped(search, on_event, watch)

    @property
    def stop(self) -> Stop | None:
        """When its latest run was to end; None before the first, and for one of an earlier version."""
        known = self._trials.user_attrs.get(STOP) if self._trials else None
        return Stop.from_json(known) if known else None

    @property
    def network_filesystem(self) -> str:
        """Type of the network file system that the journal lies on, where locks may not hold; "" for none."""
        return "" if self._place.url else network_filesystem(self.folder)

    def check_shared(self) -> None:
        """Raise UserError unless several workers may write to the storage at once."""
        self._place.check_shared()

    def check_same(self, evaluator: Evaluates) -> None:
        """Raise UserError naming the first part of the protocol or budget that differs."""
        mine = replace(self.config, protocol=evaluator.protocol, budget=evaluator.budget)
        check_same(self.config, mine, self.folder, "this host's data, or its device, are others than the study's")

    def check_versions(self) -> None:
        """Raise UserError where this host has another version of what a measurement depends on."""
        here = versions()
        for name in ("bitfront", "torch"):
            if self.versions.get(name, "") != here.get(name, ""):
                expected = f"{name} {self.versions.get(name)}, as the study was created with"
                raise UserError("another version", got=f"{name} {here.get(name)}", expected=expected)

    def _searched(self, desk: Desk, evaluator: Evaluates, stop: Stop, hands: Hands | None) -> Stopped:
        """Let the hands work, then measure again what is unsure."""
        stopped = (hands or Alone(evaluator, self.config)).work(desk)
        if stopped.reason != "failures" and isinstance(evaluator, Repeats) and self._trials:
            repeat_unsure(desk, self._trials, self.config, evaluator, stop.repeats)
        return replace(stopped, seconds=desk.seconds)

    def _stopped(self, search: Callable[[], Stopped], on_event: Callable[[Event], None], watch: Watch) -> Stopped:
        """Why a search ended, whatever it raised."""
        try:
            stopped = search()
        except KeyboardInterrupt:
            count = sum(record.evaluated for record in self.records())
            stopped = Stopped(reason="interrupted", evaluated=count, seconds=watch.seconds)
        except BrokenPipeError:  # of who listens
            raise
        except OSError as error:  # those of an evaluation are in its record
            raise unwritable(self.folder, error) from error
        on_event(RunStopped(stopped=stopped))
        return stopped

    @contextmanager
    def _desk(
        self, evaluator: Evaluates, stop: Stop, on_event: Callable[[Event], None], watch: Watch
    ) -> Iterator[Desk]:
        """The open study's desk."""
        if self._trials is None or self._header is None:
            raise ValueError("there is no study")
        colleagues = Colleagues(self._place, self._trials)
        try:
            desk = Desk(self._trials, self._header, evaluator, stop, on_event, watch, colleagues)
            on_event(
                RunStarted(
                    records=len(desk.memory.records),
                    evaluated=desk.memory.evaluated,
                    trials=min(stop.trials, self.config.space.size),
                    seconds=stop.seconds,
                )
            )
            yield desk
        finally:
            colleagues.leave()

    @contextmanager
    def _writing(self, header: Header) -> Iterator[tuple[optuna.Study, Header]]:
        """Lock the folder and open its study afresh, creating it if it is still not there."""
        make_folder(self.folder)
        with locked(self.folder):
            trials = find_study(self._place)
            if trials is None:
                objectives = find_objectives(self.config.objectives)
                trials = create_study(self._place, objectives, header.to_json())
            self._trials, self._header = trials, _header(trials)
            self._header.check_resumable(self.config, self.folder)
            yield trials, self._header


def _header(trials: optuna.Study) -> Header:
    try:
        return Header.from_json(trials.user_attrs[HEADER])
    except (KeyError, TypeError, ValueError) as error:
        hint = "it was written by another version of bitfront, or is damaged"
        raise UserError("unreadable study", got=one_line(error), hint=hint) from error
