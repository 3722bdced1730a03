"""Optuna's storages, with little of a long study in memory."""

import threading
from collections.abc import Container
from typing import Any, cast
from uuid import uuid4

from optuna.storages import JournalStorage, RDBStorage
from optuna.storages._cached_storage import _CachedStorage, _StudyInfo
from optuna.storages.journal._storage import JournalStorageReplayResult
from optuna.trial import FrozenTrial, TrialState

from studies.storage.journal import Journal
from studies.storage.kept import Kept
from studies.storage.trials import Trials


class JournalTrials(JournalStorage):
    """Optuna's storage on a journal.

    All trials, where they are not copied, are given as what is read like a list: of the finished ones most are on the
    disk (see `Kept`).
    """

    _replay_result: "_Replay"

    def __init__(self, journal: Journal) -> None:
        # In place of Optuna's own, which would read all trials into a dictionary.
        self._worker_id_prefix, self._backend = f"{uuid4()}-", journal
        self._thread_lock, self._replay_result = threading.Lock(), _Replay(self._worker_id_prefix)
        with self._thread_lock:
            self._sync_with_backend()

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """As Optuna's own."""
        with self._thread_lock:
            self._sync_with_backend()
            return self._replay_result.trials(study_id).chosen(states, deepcopy=deepcopy)


class _Replay(JournalStorageReplayResult):
    """What follows from the lines of a journal."""

    def __init__(self, worker_id_prefix: str) -> None:
        super().__init__(worker_id_prefix)
        self._trials = self._kept = Kept()  # type: ignore[assignment]
        self._holders: dict[tuple[int, str], int] = {}  # the first trial of a study that has the parameter

    def trials(self, study_id: int) -> Trials:
        """All of a study; KeyError where there is none."""
        self.get_study(study_id)
        return Trials(self._kept, self._study_id_to_trial_ids[study_id])

    def _apply_create_trial(self, log: dict[str, Any]) -> None:
        super()._apply_create_trial(log)
        for name in log.get("params", ()):
            self._holders.setdefault((log["study_id"], name), len(self._kept) - 1)

    def _apply_set_trial_param(self, log: dict[str, Any]) -> None:
        """As Optuna's own, which looks through all trials for one with the parameter, to compare its distributions."""
        trial, name = log["trial_id"], log["param_name"]
        if (study := self._trial_id_to_study_id.get(trial)) is None:
            return super()._apply_set_trial_param(log)
        holder = self._holders.get((study, name))
        numbers, self._study_id_to_trial_ids[study] = (
            self._study_id_to_trial_ids[study],
            [] if holder is None else [holder],
        )
        try:
            super()._apply_set_trial_param(log)
        finally:
            self._study_id_to_trial_ids[study] = numbers
        if holder is None and name in self._kept[trial].params:
            self._holders[study, name] = trial
        return None


class DatabaseTrials(_CachedStorage):
    """Optuna's storage on a database, which reads every finished trial once.

    All trials are given as by `JournalTrials`.
    """

    def __init__(self, backend: RDBStorage) -> None:
        super().__init__(backend)
        self._studies = _Studies()

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """As Optuna's own."""
        self._read_trials_from_remote_storage(study_id)
        with self._lock:
            kept = cast(Kept, self._studies[study_id].trials)
            return Trials(kept, kept.numbers).chosen(states, deepcopy=deepcopy)


class _Studies(dict[int, _StudyInfo]):
    """What is known of studies, by their numbers."""

    def __setitem__(self, study_id: int, known: _StudyInfo) -> None:
        known.trials = Kept()  # type: ignore[assignment]
        super().__setitem__(study_id, known)
