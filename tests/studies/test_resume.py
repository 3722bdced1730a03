"""A run that is killed at any moment and resumed leaves the records of one that was not."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from closed_form import Arithmetic, config, story

from space.errors import UserError
from studies import Limit, Stop, Study

CHILD = Path(__file__).with_name("child_run.py")


def start(folder, sampler, trials, pause=0.004):
    command = [sys.executable, str(CHILD), str(folder), sampler, str(trials), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run(folder, trials, sampler="tpe", **changes):
    study = Study.open(folder, config(sampler=sampler, **changes))
    study.run(Arithmetic(), Stop(trials=trials))
    return story(study.records())


def test_killed_processes_change_nothing(tmp_path):
    """kill -9 right after the journal appears, then at random moments, until a run comes through."""
    trials, rng = 26, random.Random(0)
    whole = run(tmp_path / "whole", trials)
    folder, kills, reason = tmp_path / "killed", 0, ""
    while reason != "trials":
        with start(folder, "tpe", trials) as child:
            if kills == 0:
                while not (folder / "journal.log").exists():
                    time.sleep(0.001)
            elif kills < 5:
                assert child.stdout.readline() == "RunStarted\n"
                time.sleep(rng.uniform(0, 0.25))
            if kills < 5:
                child.kill()
                kills += 1
            lines = child.stdout.read().split()
            child.wait()
            reason = lines[-1] if lines else ""
    study = Study.load(folder)
    assert kills == 5
    assert story(study.records()) == whole


def cuts_of(journal, rng):
    """Where a killed writer may have stopped: between the steps of a trial, at any operation, at any byte."""
    start = journal.index(b'"bitfront":{')
    lines = [at + 1 for at, byte in enumerate(journal) if byte == ord(b"\n") and at > start]
    steps = [b'"fixed_params"', b'"param_name"', b'"constraints:', b'"record"', b'"values":[']
    after = [[end for end in lines if step in journal[journal.rindex(b"\n", 0, end - 1) : end]] for step in steps]
    yield from (0, 1, start + 100, lines[0])
    yield from (rng.choice(ends) for ends in after)
    yield from (rng.choice(lines) for _ in range(3))
    yield from (rng.randrange(start, len(journal)) for _ in range(6))


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_a_journal_cut_anywhere_goes_on_as_it_would_have(tmp_path, sampler):
    changes = {"sampler": sampler, "limits": (Limit.parse("bops<=4e7"), Limit.parse("acc>=0.55"))}
    whole = run(tmp_path / "whole", 25, **changes)
    assert {state for _, _, _, state, *_ in whole} >= {"complete", "vetoed"}
    journal = (tmp_path / "whole" / "journal.log").read_bytes()
    for cut in cuts_of(journal, random.Random(0)):
        folder = tmp_path / f"{cut}"
        folder.mkdir()
        (folder / "journal.log").write_bytes(journal[:cut])
        (folder / "journal.log.lock").touch()  # left behind by the writer
        assert run(folder, 25, **changes) == whole, f"cut at byte {cut} of {len(journal)}"


def test_a_cut_in_the_first_trial_of_a_generation_changes_nothing(tmp_path):
    """Its parents were chosen and stored by a process that is gone."""
    whole = run(tmp_path / "whole", 25, "nsga2")
    journal = (tmp_path / "whole" / "journal.log").read_bytes()
    lines = [at + 1 for at, byte in enumerate(journal) if byte == ord(b"\n")]
    first = next(end for end in lines if b"NSGAIISampler:parent:1" in journal[:end])
    for cut in [end for end in lines if end >= first][:4]:
        folder = tmp_path / f"{cut}"
        folder.mkdir()
        (folder / "journal.log").write_bytes(journal[:cut])
        assert run(folder, 25, "nsga2") == whole, f"cut at byte {cut} of {len(journal)}"


def test_what_was_measured_before_the_kill_is_not_measured_again(tmp_path):
    """The record was stored, the sampler not yet told: the most expensive moment to be killed at."""
    whole = run(tmp_path / "whole", 8)
    journal = (tmp_path / "whole" / "journal.log").read_bytes()
    end = journal.index(b"\n", journal.rindex(b'"record"')) + 1
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "journal.log").write_bytes(journal[:end])
    evaluator = Arithmetic()
    study = Study.open(tmp_path / "s", config())
    assert len(study.records()) == 7
    study.run(evaluator, Stop(trials=8))
    assert evaluator.asked == []
    assert story(study.records()) == whole


def test_stopping_more_often_changes_nothing_either(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    first = run(whole, 24)
    assert first == run(parts, 24)
    run(parts, 27)
    assert run(parts, 30) == run(whole, 30)
    assert run(whole, 30)[: len(first)] == first


def test_a_second_run_on_the_same_folder_is_refused(tmp_path):
    with start(tmp_path, "random", 1000, pause=0.05) as child:
        assert child.stdout.readline() == "RunStarted\n"
        study = Study.open(tmp_path, config(sampler="random"))
        with pytest.raises(UserError, match=r"another run is writing here: got .*wait until it ends"):
            study.run(Arithmetic(), Stop(trials=1000))
        assert child.stdout.readline() == "TrialFinished\n"
        assert Study.load(tmp_path).records()  # reading is always possible
        child.kill()
    assert len(run(tmp_path, 1, "random")) >= 1  # the lock ended with its process


def test_control_c_ends_a_process_with_everything_finished_kept(tmp_path):
    with start(tmp_path, "random", 1000, pause=0.05) as child:
        for _ in range(4):
            child.stdout.readline()
        child.send_signal(signal.SIGINT)
        lines = child.stdout.read().split()
    finished = 3 + lines.count("TrialFinished")
    assert lines[-1] == "interrupted"
    assert child.returncode == 0
    assert len(Study.load(tmp_path).records()) == finished
