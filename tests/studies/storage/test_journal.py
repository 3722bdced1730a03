"""When a study's journal reaches the disk, and that its lines are all there before."""

import os

import pytest
from closed_form import Arithmetic, config, story

from studies import Stop, Study, TrialFinished


@pytest.fixture
def flushed(monkeypatch):
    """Sizes of what was flushed, each at its flush."""
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    return sizes


def test_a_finished_trial_is_on_the_disk_and_its_steps_are_not_flushed_one_by_one(tmp_path, flushed):
    study, journal = Study.open(tmp_path, config()), tmp_path / "journal.log"
    unflushed, flushes = [], []

    def hear(event):
        if isinstance(event, TrialFinished):
            unflushed.append(journal.stat().st_size - max(flushed))
            flushes.append(len(flushed))

    study.run(Arithmetic(), Stop(trials=8), hear)
    assert unflushed == [0] * len(unflushed)
    assert len(unflushed) >= 8
    assert flushes[-1] - flushes[0] <= 2 * (len(flushes) - 1)
    lines = journal.read_text().splitlines()
    assert len(lines) > 8 * len(unflushed)


def test_steps_are_in_the_file_before_they_are_flushed(tmp_path, flushed):
    study, seen = Study.open(tmp_path, config()), []

    def trouble(candidate, name):
        if name == "acc" and not seen:
            seen.append(len((tmp_path / "journal.log").read_text().splitlines()))
            raise KeyboardInterrupt

    study.run(Arithmetic(trouble=trouble), Stop(trials=4))
    assert len((tmp_path / "journal.log").read_text().splitlines()) == seen[0]
    Study.open(tmp_path, config()).run(Arithmetic(), Stop(trials=4))
    Study.open(tmp_path / "whole", config()).run(Arithmetic(), Stop(trials=4))
    assert story(Study.load(tmp_path).records()) == story(Study.load(tmp_path / "whole").records())
