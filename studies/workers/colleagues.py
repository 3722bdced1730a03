"""What a worker knows of the others in its study: whose turn it is, and which of them live."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import optuna
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, Trial

from studies.storage.patience import Lost, is_outage, patiently
from studies.storage.place import BEAT, Place
from studies.workers.claims import CLAIM, Claim
from studies.workers.signs import Life, Sign

POLL = 0.01
"""Seconds between two attempts to have one's turn."""


class Colleagues:
    """Of all workers of a study, one at a time has its turn; their signs of life say which trials nobody works on.

    On one host a turn is a lock of a file, and life that of another. Workers of other hosts meet in a database: a turn
    is an advisory lock of PostgreSQL, which ends with the connection, and life is Optuna's heartbeat.

    Args:
        place: of the study.
        trials: the study.
    """

    def __init__(self, place: Place, trials: optuna.Study) -> None:
        self._place, self._study, self._storage = place, trials._study_id, cast(Any, trials._storage)
        self._sign = Sign(place.signs)
        self._lock = FileLock(place.signs / f"{place.name}.turn", thread_local=False)
        self._tended: set[int] = set()
        self._held: Any = None  # the connection that holds the database's lock
        self._over = threading.Event()
        self._beating: threading.Thread | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have one's turn; nobody else asks for a trial meanwhile. Lost is raised at its end if that was not so."""
        if self._place.served:
            try:
                with self._advisory():
                    yield
            finally:
                self.rest()
        else:
            with self._lock.acquire(poll_interval=POLL):
                yield

    def rest(self) -> None:
        """Hold no connection while a trial is evaluated: a server takes fewer than there may be workers."""
        if self._place.served:
            self._storage._backend.engine.dispose()

    def claim(self, trial_id: int, claim: Claim) -> Claim:
        """The claim as this worker's own, with its heart beating for it where others can't see it otherwise.

        Lost is raised where the turn has ended: what has no claim yet looks left to whoever has it now.
        """
        self._check_turn()
        self._tended.add(trial_id)
        if self._place.served:
            self._beat(trial_id)
            if self._beating is None:
                self._beating = threading.Thread(target=self._keep_beating, daemon=True)
                self._beating.start()
        return Claim(**{**claim.to_json(), "worker": self._sign.name, "place": self._sign.place})  # type: ignore[arg-type]

    def drop(self, trial_id: int) -> None:
        """Work on a trial no longer."""
        self._tended.discard(trial_id)

    def release(self, trial: Trial, claim: Claim) -> None:
        """Leave a trial to others; those of this host see it from the sign of life, when that goes."""
        self.drop(trial._trial_id)
        if self._place.served:
            with suppress(Exception):  # where the database is away, the heart has stopped beating all the same
                trial.set_user_attr(CLAIM, claim.to_json())

    def look(self, running: list[FrozenTrial]) -> dict[int, Life]:
        """What became of the workers of running trials, by the trial's id."""
        claims = {one._trial_id: Claim.of(one) for one in running}
        stale = self._stale() if any(self._is_far(claim) for claim in claims.values()) else set()
        return {trial: self._life(trial, claim, stale) for trial, claim in claims.items()}

    def forget(self, worker: str) -> None:
        """Take away what a dead worker left, when its trial is another's."""
        if worker:
            self._sign.forget(worker)

    def leave(self) -> None:
        """Work on nothing any longer."""
        self._over.set()
        self._tended.clear()
        with suppress(Timeout), self._lock.acquire(timeout=0):
            Path(self._lock.lock_file).unlink()  # while nobody can hold it: those who wait look for the new one
        self._sign.leave()

    def _life(self, trial: int, claim: Claim, stale: set[int]) -> Life:
        if not claim.worker:
            return "left"
        if claim.worker == self._sign.name:
            return "alive" if trial in self._tended else "left"
        if self._is_far(claim):
            return "died" if trial in stale else "alive"
        return self._sign.look(claim.worker)

    def _is_far(self, claim: Claim) -> bool:
        """Whether nothing but its heartbeat can tell that a worker lives."""
        return self._place.served and bool(claim.worker) and claim.place != self._sign.place

    @contextmanager
    def _advisory(self) -> Iterator[None]:
        """PostgreSQL's lock under the study's name."""
        number = int.from_bytes(sha256(self._place.name.encode()).digest()[:8], "big", signed=True)
        connection = self._held = patiently(lambda: self._locked(number))
        try:
            yield
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({number})")
        except Exception as error:
            connection.invalidate()
            if is_outage(error):
                raise Lost from error
            raise
        finally:
            self._held = None
            connection.close()

    def _check_turn(self) -> None:
        """Raise Lost where the lock went with its connection."""
        try:
            if self._held is not None:
                self._held.exec_driver_sql("SELECT 1")
        except Exception as error:
            if is_outage(error):
                raise Lost from error
            raise

    def _locked(self, number: int) -> Any:
        connection = self._storage._backend.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({number})")
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection

    def _stale(self) -> set[int]:
        return {*self._storage._get_stale_trial_ids(self._study)}

    def _beat(self, trial_id: int) -> None:
        self._storage.record_heartbeat(trial_id)

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT):
            for trial_id in tuple(self._tended):
                with suppress(Exception):  # the next beat may come through, and a late one costs a measurement at most
                    self._beat(trial_id)
