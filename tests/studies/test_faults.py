"""Faults made on purpose: killed drivers, clocks that jump, full disks, two people in one folder."""

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from closed_form import Arithmetic, config, story

import studies.storage.files
from space.candidate import Candidate
from space.errors import OutOfSpace, UserError
from studies import Stop, Study, StudyConfig, write_outputs
from studies.replay import Replay, Table, member_names

TABLE = Path(__file__).parents[2] / "benchmarks" / "table" / "mnist5k.json.gz"
KILLS, TRIALS = 50, 30


class Child:
    """A process that does something, with all that is loaded here; it tells by its status and a line how that ended."""

    def __init__(self, work):
        self._reading, writing = os.pipe()
        self.id = os.fork()
        if self.id == 0:
            os.close(self._reading)
            status = 1
            with suppress(BaseException):
                try:
                    told = str(work())
                except UserError as error:
                    told = f"refused: {error}"
                os.write(writing, told.encode()[:4000])
                status = 0
            os._exit(status)
        os.close(writing)

    def kill(self, signal_number=signal.SIGKILL):
        os.kill(self.id, signal_number)

    def end(self):
        """Wait; what it told, "" where it was killed."""
        with os.fdopen(self._reading) as told:
            text = told.read()
        _, status = os.waitpid(self.id, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return text


class Kept(Replay):
    """A replayed table whose trained members are files, as those of a cache: they outlive the process."""

    def __init__(self, table, folder):
        super().__init__(table)
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self._trained = {one.name for one in folder.iterdir()}

    def _train(self, candidate: Candidate) -> None:
        super()._train(candidate)
        for name in member_names(candidate):
            (self._folder / name).touch()


@pytest.fixture(scope="module")
def table():
    return Table.load(TABLE)


def replayed(table, folder, trials=TRIALS):
    """Run the recorded study in a folder; its story without clocks, which stand still while nobody runs."""
    settings = StudyConfig(
        objectives=("acc", "pgd", "bops"), space=table.space, protocol=table.protocols[0], budget=table.budget
    )
    study = Study.open(folder / "study", settings)
    evaluator = Kept(table, folder / "members")
    study.run(evaluator, Stop(trials=trials), clock=evaluator.clock)
    return study


def front_of(study):
    return [(one.number, one.candidate, dict(one.measurements)) for one in study.front()]


def test_a_driver_killed_at_fifty_random_moments_loses_nothing_and_counts_nothing_twice(table, tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = replayed(table, tmp_path / "whole")
    rng, folder, kills, known, ended = random.Random(1), tmp_path / "killed", 0, [], ""
    while not ended:
        child = Child(lambda: replayed(table, folder).resumed)
        if kills < KILLS:
            time.sleep(rng.uniform(0, 0.2))
            child.kill()
        told = child.end()
        kills += not told
        ended = told if kills >= KILLS or told else ""
        if (folder / "study" / "journal.log").exists():
            with suppress(UserError):  # killed before the study was set up
                now = Study.load(folder / "study").records()
                assert story(now)[: len(known)] == known, "what was finished stays"
                known = story(now)
    study = Study.load(folder / "study")
    assert kills >= min(KILLS, 10)
    assert story(study.records()) == story(whole.records())
    assert front_of(study) == front_of(whole)
    assert [one.number for one in study.records()] == [*range(len(study.records()))]
    assert sum(one.evaluated for one in study.records()) == TRIALS


def test_of_two_people_who_start_a_study_at_once_one_is_refused(tmp_path):
    for case in range(6):
        folder, start = tmp_path / str(case), time.monotonic() + 0.1

        def begin(seed, folder=folder, start=start):
            time.sleep(max(0.0, start - time.monotonic()))
            study = Study.open(folder, config(sampler="random", seed=seed))
            return f"seed {study.config.seed}: {study.run(Arithmetic(pause=0.02), Stop(trials=2)).reason}"

        both = [Child(lambda seed=seed, begin=begin: begin(seed)) for seed in (0, 1)]
        told = [one.end() for one in both]
        refused = [one for one in told if one.startswith("refused: ")]
        assert len(refused) == 1, told
        assert "another run is writing here" in refused[0] or "holds a study with another seed" in refused[0]
        [done] = set(told) - set(refused)
        assert done == f"seed {Study.load(folder).config.seed}: trials"


@pytest.mark.parametrize("jump", [-36_000.0, 36_000.0, 1e7])
def test_no_record_depends_on_what_the_wall_clock_shows(tmp_path, monkeypatch, jump):
    Study.open(tmp_path / "calm", config()).run(Arithmetic(), Stop(trials=12))
    now, calls = time.time, []

    def jumping():
        calls.append(None)
        return now() + (jump if len(calls) % 2 else -jump)

    monkeypatch.setattr(time, "time", jumping)
    study = Study.open(tmp_path / "wild", config())
    stopped = study.run(Arithmetic(), Stop(trials=12, seconds=600.0))
    assert (stopped.reason, stopped.seconds < 500) == ("trials", True)
    assert story(study.records()) == story(Study.load(tmp_path / "calm").records())
    assert all(0 <= one.seconds < 500 and 0 <= one.at < 500 for one in study.records())


def limited(folder, room):
    """Run in a process that may write no file longer than `room` bytes."""

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        study = Study.open(folder, config(sampler="random"))
        reason = study.run(Arithmetic(), Stop(trials=6)).reason
        write_outputs(study)
        return reason

    return Child(work).end()


def test_a_disk_that_is_full_for_the_journal_is_named_and_the_study_goes_on_when_there_is_room(tmp_path):
    Study.open(tmp_path / "whole", config(sampler="random")).run(Arithmetic(), Stop(trials=6))
    whole = (tmp_path / "whole" / "journal.log").read_bytes()
    for room in (10, 300, *range(2500, len(whole), 4001)):
        folder = tmp_path / str(room)
        told = limited(folder, room)
        assert told.startswith("refused: output folder: got ")
        assert "hint: file too large" in told
        left = (folder / "journal.log").read_bytes()
        assert left == b"" or left.endswith(b"\n"), "no line is cut"
        study = Study.open(folder, config(sampler="random"))
        study.run(Arithmetic(), Stop(trials=6))
        assert story(study.records()) == story(Study.load(tmp_path / "whole").records())


def test_a_disk_that_is_full_for_the_front_leaves_the_old_one_whole(tmp_path):
    study = Study.open(tmp_path, config(sampler="random"))
    study.run(Arithmetic(), Stop(trials=6))
    write_outputs(study)
    files = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert "refused: output folder: got " in limited(tmp_path, 1000)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == files
    assert limited(tmp_path, 1 << 30) == "trials"


def test_a_disk_that_is_full_for_the_cache_ends_the_run_and_the_trial_goes_again(tmp_path):
    Study.open(tmp_path / "whole", config()).run(Arithmetic(), Stop(trials=6))
    asked = []

    def fill(candidate, name):
        asked.append(name)
        if asked.count("acc") > 3:
            raise OutOfSpace("the cache cannot be written (No space left on device)", got="/cache")

    study = Study.open(tmp_path / "s", config())
    with pytest.raises(OutOfSpace, match="cache cannot be written"):
        study.run(Arithmetic(trouble=fill), Stop(trials=6))
    assert not [one for one in study.records() if one.state == "failed"]
    again = Study.open(tmp_path / "s", config())
    again.run(Arithmetic(), Stop(trials=6))
    assert story(again.records()) == story(Study.load(tmp_path / "whole").records())


def test_a_full_disk_is_told_from_other_refusals_of_the_cache(tmp_path):
    from evaluators.cache import Store

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            Store(tmp_path / "cache").save("0" * 8, {}, {"long": "x" * 9000})
        except OutOfSpace as error:
            return f"out of space: {error}"

    assert Child(work).end().startswith("out of space: the cache cannot be written (File too large)")
    assert not Store(tmp_path / "cache").holds("0" * 8)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_small_disk_that_fills_up_for_real(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        study = Study.open(disk / "study", config(sampler="random"))
        with pytest.raises(UserError, match=r"output folder: .*hint: no space left on device"):
            study.run(Arithmetic(), Stop(trials=40))
        before = story(study.records())
        assert before
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        study = Study.open(disk / "study", config(sampler="random"))
        study.run(Arithmetic(), Stop(trials=40))
        assert story(study.records())[: len(before)] == before
        assert sum(one.evaluated for one in study.records()) == 40
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError("no"), "MemoryError: no"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "RuntimeError: CUDA error: an illegal"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "RuntimeError: CUDA out of memory"),
        (FloatingPointError("the loss is nan after epoch 1"), "FloatingPointError: the loss is nan"),
        (RecursionError("deep"), "RecursionError: deep"),
        (OSError(errno.EIO, "Input/output error"), "OSError: [Errno 5] Input/output error"),
    ],
)
def test_what_one_evaluation_raises_is_its_reason_and_the_next_trial_runs(tmp_path, error, reason):
    asked = []

    def trouble(candidate, name):
        if name == "acc":
            asked.append(candidate)
            if len(asked) == 2:
                raise error

    study = Study.open(tmp_path, config(sampler="random"))
    assert study.run(Arithmetic(trouble=trouble), Stop(trials=5)).reason == "trials"
    failed = [one for one in study.records() if one.state == "failed"]
    assert [one.reason.startswith(reason) for one in failed] == [True]
    assert sum(one.state == "complete" for one in study.records()) == 4


def test_a_value_that_is_no_number_fails_its_trial_alone(tmp_path):
    from evaluators.base import Measurement

    class Diverged(Arithmetic):
        def measure(self, candidate, names):
            for name, one in super().measure(candidate, names):
                bad = name == "acc" and len(self.asked) < 3
                yield name, Measurement(value=float("nan"), unit="fraction") if bad else one

    study = Study.open(tmp_path, config(sampler="random"))
    study.run(Diverged(), Stop(trials=4))
    states = [one.state for one in study.records() if one.evaluated]
    assert states[0] == "failed"
    assert "acc is nan" in study.records()[0].reason
    assert states.count("complete") >= 2


SIGNALS = [("SIGINT", False, 130), ("SIGINT", True, 130), ("SIGTERM", False, 143)]


@pytest.mark.parametrize(("number", "twice", "status"), SIGNALS)
def test_a_signal_ends_the_program_with_everything_finished_kept(tmp_path, number, twice, status):
    words = ["--trials", "500", "--epochs", "1", "--train-images", "200", "--images", "8", "--steps", "2"]
    environment = {**os.environ, "BITFRONT_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "search", *words, "--out", str(tmp_path / "s")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        told = [run.stderr.readline() for _ in range(3)]
        assert all("candidates, " in one for one in told)
        run.send_signal(getattr(signal, number))
        if twice:
            time.sleep(0.3)
            with suppress(ProcessLookupError):
                run.send_signal(signal.SIGINT)
        _, rest = run.communicate()
    assert run.returncode == status, rest
    assert "Traceback" not in rest
    study = Study.load(tmp_path / "s")
    assert sum(one.evaluated for one in study.records()) >= 3
    assert twice or (tmp_path / "s" / "front.json").exists()


def test_no_file_is_written_in_place(tmp_path, monkeypatch):
    """A power cut at any moment leaves the old file or the new one."""
    path = studies.storage.files.write_text(tmp_path / "front.json", "old")
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.EIO, "cut")))
    with pytest.raises(OSError, match="cut"):
        studies.storage.files.write_text(path, "new")
    assert (path.read_text(), [one.name for one in tmp_path.iterdir()]) == ("old", ["front.json"])
