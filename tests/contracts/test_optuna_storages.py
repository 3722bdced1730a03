"""Our storages under Optuna's own tests of any storage, with hardly a finished trial in memory."""

from functools import partial

import pytest
from optuna.storages import RDBStorage
from optuna.testing.pytest_storages import StorageTestCase

from studies.storage import optuna_storages
from studies.storage.journal import Journal
from studies.storage.kept import Kept
from studies.storage.optuna_storages import DatabaseTrials, JournalTrials


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    monkeypatch.setattr(optuna_storages, "Kept", partial(Kept, near=1))


class TestJournal(StorageTestCase):
    test_pickle_storage = None  # nothing is ever pickled

    @pytest.fixture
    def storage(self, tmp_path):
        (tmp_path / "journal.log").touch()
        return JournalTrials(Journal(str(tmp_path / "journal.log")))


class TestDatabase(StorageTestCase):
    test_pickle_storage = None

    @pytest.fixture
    def storage(self, tmp_path):
        return DatabaseTrials(RDBStorage(f"sqlite:///{tmp_path}/trials.db"))
