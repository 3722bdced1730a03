"""What every storage of a study promises: the journal in its folder, and a database behind a URL."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "studies"))

from closed_form import Arithmetic, config, story

from space.errors import UserError
from studies import Limit, Stop, Study

STORAGES = ("journal", "database")


@pytest.fixture(params=STORAGES)
def storage(request, tmp_path):
    """The storage argument of a study."""
    return None if request.param == "journal" else f"sqlite:///{tmp_path}/trials.db"


def run(folder, storage, trials=3, evaluator=None, **changes):
    study = Study.open(folder, config(**({"sampler": "random"} | changes)), storage)
    study.run(evaluator or Arithmetic(), Stop(trials=trials))
    return study


def test_what_is_written_is_read_by_others(tmp_path, storage):
    study = run(tmp_path / "s", storage)
    read = Study.load(tmp_path / "s")
    assert read.records() == study.records()
    assert len(read.records()) == 3
    assert (read.config, read.bounds, read.design) == (study.config, study.bounds, study.design)
    assert (read.versions, read.folder, read.resumed) == (study.versions, study.folder, True)
    assert read.front() == study.front()


def test_all_states_survive(tmp_path, storage):
    def fail(candidate, name):
        if name == "pgd" and candidate.input_bits == 4:
            raise MemoryError

    limits = (Limit.parse("bops<=5e7"), Limit.parse("acc>=0.6"))
    study = run(tmp_path / "s", storage, 14, Arithmetic(trouble=fail), limits=limits)
    assert {"complete", "vetoed", "failed"} <= {record.state for record in study.records()}
    assert Study.load(tmp_path / "s").records() == study.records()


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_it_does_not_matter_where_trials_are_kept_or_how_often_runs_stop(tmp_path, storage, sampler):
    run(tmp_path / "reference", None, 13, sampler=sampler)

    def interrupt(candidate, name):
        if name == "pgd" and len(evaluator.asked) > 9:
            raise KeyboardInterrupt

    evaluator = Arithmetic(trouble=interrupt)
    run(tmp_path / "s", storage, 13, evaluator, sampler=sampler)
    run(tmp_path / "s", storage, 13, sampler=sampler)
    assert story(Study.load(tmp_path / "s").records()) == story(Study.load(tmp_path / "reference").records())


def test_another_config_is_refused_and_nothing_changes(tmp_path, storage):
    study = run(tmp_path / "s", storage)
    with pytest.raises(
        UserError, match=r"s holds a study with another seed: got '1'; expected 0; hint: choose another"
    ):
        run(tmp_path / "s", storage, seed=1)
    assert Study.load(tmp_path / "s").records() == study.records()


def test_a_study_is_found_again_without_naming_its_storage(tmp_path, storage):
    run(tmp_path / "s", storage)
    assert len(run(tmp_path / "s", None, 4).records()) == 4


def test_no_folder_is_made_before_a_run(tmp_path, storage):
    study = Study.open(tmp_path / "s", config(), storage)
    assert (study.records(), study.front(), study.bounds, study.resumed) == ([], [], None, False)
    assert not (tmp_path / "s").exists()


def test_a_study_moves_with_its_folder(tmp_path, storage):
    records = run(tmp_path / "s", storage).records()
    (tmp_path / "s").rename(tmp_path / "moved")
    assert Study.load(tmp_path / "moved").records() == records


def test_two_studies_share_a_database(tmp_path):
    url = f"sqlite:///{tmp_path}/trials.db"
    one, two = run(tmp_path / "one", url, seed=1), run(tmp_path / "two", url, seed=2)
    assert one.records() != two.records()
    assert len(Study.load(tmp_path / "one").records()) == len(Study.load(tmp_path / "two").records()) == 3


def test_another_storage_than_the_folders_is_refused(tmp_path):
    run(tmp_path / "j", None)
    run(tmp_path / "d", f"sqlite:///{tmp_path}/trials.db")
    with pytest.raises(
        UserError, match=r"another storage: got 'sqlite:///x.db'; expected none: .*keeps its own journal"
    ):
        Study.open(tmp_path / "j", config(), "sqlite:///x.db")
    with pytest.raises(UserError, match=r"another storage: got 'sqlite:///x.db'; expected sqlite:///.*trials.db"):
        Study.open(tmp_path / "d", config(), "sqlite:///x.db")


@pytest.mark.parametrize("url", ["nonsense", "mysql://me:secret@nowhere/x", "sqlite:////no/such/folder/x.db"])
def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path, url):
    with pytest.raises(UserError, match=r"storage: got .*expected a database that Optuna can open") as caught:
        Study.open(tmp_path / "s", config(), url)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "s").exists()


def test_the_pointer_to_a_database_is_private(tmp_path):
    run(tmp_path / "s", f"sqlite:///{tmp_path}/trials.db")
    pointer = tmp_path / "s" / "storage.json"
    assert json.loads(pointer.read_text())["url"].startswith("sqlite:///")
    assert pointer.stat().st_mode & 0o077 == 0


def test_a_damaged_journal_is_one_line(tmp_path):
    run(tmp_path / "s", None)
    journal = tmp_path / "s" / "journal.log"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:5], b"{not json}\n", *lines[5:]]))
    with pytest.raises(
        UserError, match=r"damaged journal, line 6 can't be read: got '.*journal.log'; hint: .*sed -i '6,"
    ):
        Study.load(tmp_path / "s")


def test_a_study_of_another_version_is_one_line(tmp_path):
    url = f"sqlite:///{tmp_path}/trials.db"
    run(tmp_path / "s", url)
    with sqlite3.connect(tmp_path / "trials.db") as database:
        text = "update study_user_attributes set value_json = replace(value_json, '\"format\": 4', '\"format\": 5')"
        text += " where key = 'bitfront'"
        assert database.execute(text).rowcount == 1
    database.close()
    with pytest.raises(UserError, match=r"unreadable study: got 'ValueError: the study has format 5.*another version"):
        Study.load(tmp_path / "s")


@pytest.mark.parametrize(("make", "hint"), [(False, "there is no such folder"), (True, "it holds no finished set-up")])
def test_a_folder_without_a_study_is_refused(tmp_path, make, hint):
    if make:
        (tmp_path / "s").mkdir()
    with pytest.raises(UserError, match=f"no study: got .*expected the folder of a run; hint: {hint}"):
        Study.load(tmp_path / "s")


def test_a_file_is_no_study(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(UserError, match=r"no study: got .*expected the folder of a run; hint: it is a file"):
        Study.load(tmp_path / "s")


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/none"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_starts(tmp_path, where):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"output folder: got .*expected a folder that can be written; hint: "):
        Study.open(tmp_path / where, config())
    assert (tmp_path / "file").read_text() == "mine"
