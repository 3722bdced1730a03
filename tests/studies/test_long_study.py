"""A study of many trials does no more for its next trial, and holds no more for each, than a short one."""

import gc
import sys
import tracemalloc
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from statistics import median

import pytest
from long_study import Formula, alone, config_of
from optuna.trial import TrialState

from studies import Stop, Study, TrialFinished
from studies.storage import archive, optuna_storages
from studies.storage.journal import Journal
from studies.storage.kept import Kept
from studies.storage.optuna_storages import JournalTrials


def visits_by_part(folder, trials, parts, monkeypatch):
    """Journal lines read and trials looked at for each evaluated trial, part by part."""
    counts, marks = Counter(), []
    read, look = Journal.read_logs, JournalTrials.get_all_trials

    def counting_read(self, start):
        for one in read(self, start):
            counts["lines"] += 1
            yield one

    def counting_look(self, study_id, deepcopy=True, states=None):
        found = look(self, study_id, deepcopy, states)
        if states is not None and TrialState.COMPLETE not in states:
            counts["open"] += len(found)
        counts["copies"] += deepcopy
        return found

    def hear(event):
        if isinstance(event, TrialFinished) and event.evaluated == (len(marks) + 1) * (trials // parts):
            marks.append((event.record.number + 1, Counter(counts)))

    monkeypatch.setattr(Journal, "read_logs", counting_read)
    monkeypatch.setattr(JournalTrials, "get_all_trials", counting_look)
    Study.open(folder, config_of("random")).run(Formula(), Stop(trials=trials), hear)
    ends = [(0, Counter()), *marks]
    return [
        {name: (after[name] - before[name]) / (last - first) for name in ("lines", "open", "copies")}
        for (first, before), (last, after) in pairwise(ends)
    ]


def flat(parts):
    first, *_, last = parts
    assert last["lines"] <= first["lines"] * 1.1 + 1, "the journal is read again"
    assert last["open"] <= 3, "finished trials are looked at as open ones"
    assert last["copies"] == 0, "trials are copied"


def test_what_is_done_for_a_trial_does_not_grow(tmp_path, monkeypatch):
    flat(visits_by_part(tmp_path, 240, 4, monkeypatch))


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_two_thousand_trials_are_no_other(tmp_path, monkeypatch):
    parts = visits_by_part(tmp_path, 2_000, 8, monkeypatch)
    assert len(parts) == 8
    flat(parts)
    size = (tmp_path / "journal.log").stat().st_size
    study = Study.load(tmp_path)
    assert size / len(study.records()) < 6000
    assert sum(one.evaluated for one in study.records()) == 2_000


def live_bytes(folder, config, trials, marks):
    """What Python holds once so many trials are evaluated, with the record's number."""
    found = []

    def hear(event):
        if isinstance(event, TrialFinished) and event.evaluated in marks and event.record.evaluated:
            gc.collect()
            found.append((event.record.number, tracemalloc.get_traced_memory()[0]))

    tracemalloc.start(1)
    try:
        Study.open(folder, config).run(Formula(), Stop(trials=trials), hear)
    finally:
        tracemalloc.stop()
    return found


def test_a_record_takes_next_to_no_memory(tmp_path, monkeypatch):
    """With one objective, since what is on the front is held, and it grows; tables that double are outliers."""
    monkeypatch.setattr(optuna_storages, "Kept", partial(Kept, near=50))
    monkeypatch.setattr(archive, "LATEST", 50)
    config = replace(config_of("random"), objectives=("acc",))
    found = live_bytes(tmp_path, config, 350, range(100, 351, 50))
    grown = [(after - before) / (last - first) for (first, before), (last, after) in pairwise(found)]
    assert len(grown) == 5
    assert median(grown) < 600


@pytest.mark.slow
def test_a_long_study_stays_as_large_as_it_is():
    """In a process of its own, from where what is held is full."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        points = pool.submit(alone, "random", 4_000).result()
    before, after = points[-3], points[-1]
    assert (after["memory_mb"] - before["memory_mb"]) * 1e6 / (after["records"] - before["records"]) < 2_000


def test_the_journal_remembers_one_place_however_long_it_is(tmp_path):
    study = Study.open(tmp_path, config_of("random"))
    study.run(Formula(), Stop(trials=20))
    journal = Journal(str(tmp_path / "journal.log"))
    lines = sum(1 for _ in journal.read_logs(0))
    small = sys.getsizeof(journal._read) + sys.getsizeof(journal._log_number_offset)
    assert lines > 100
    assert small < 1000
    assert len([*journal.read_logs(lines - 3)]) == 3
    assert [*journal.read_logs(lines)] == []
