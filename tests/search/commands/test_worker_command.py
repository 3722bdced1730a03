"""`run --workers` and `worker` in real processes: how they end, and what they refuse."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from search.workers.processes import Processes, Worker
from search.workers.signals import DRIVER
from studies import Stop, Study
from studies.storage.mounts import network_filesystem

sys.path.insert(0, str(Path(__file__).parents[2] / "studies"))

from closed_form import Arithmetic, config

ROOT = Path(__file__).parents[3]
SPACE = 'precisions = ["fp", "pact4", "xnor"]\nmembers = [1]\ninput_bits = [2, 8]\nwidths = [0.25]\n'
TINY = ("--space", "space.toml", "--epochs", "1", "--train-images", "128", "--images", "16", "--network", "fcn1")


@pytest.fixture(autouse=True)
def space(tmp_path):
    (tmp_path / "space.toml").write_text(SPACE)


CHILD = """
import os, signal, sys, time
sys.path[:0] = [{root!r}, {root!r} + "/tests/studies"]
from closed_form import Arithmetic
from search.workers.signals import end_with_driver
from studies import Stop, Study

def trouble(candidate, name):
    if name == "acc" and {when}:
        {what}

end_with_driver()
signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the command line has it
Study.load({folder!r}).join(Arithmetic(pause=0.05, trouble=trouble), Stop(trials={trials}, seconds={seconds}))
"""


def worker(folder, number=1, trials=12, when="False", what="pass", seconds=None):
    words = {"trials": trials, "when": when, "what": what, "seconds": seconds}
    code = CHILD.format(root=str(ROOT), folder=str(folder), **words)
    log = folder / f"worker-{number}.log"
    return Worker([sys.executable, "-c", code], {**os.environ}, log)


def led(folder, *workers, trials=12, seconds=None):
    study = Study.open(folder, config(sampler="random"))
    folder.mkdir(exist_ok=True)
    return study, study.run(Arithmetic(), Stop(trials=trials, seconds=seconds), hands=Processes(workers))


def test_a_run_is_over_when_its_workers_have_done_it(tmp_path):
    study, stopped = led(tmp_path, worker(tmp_path, 1), worker(tmp_path, 2))
    assert (stopped.reason, stopped.evaluated) == ("trials", 12)
    assert len(study.records()) == 12


def test_a_worker_that_is_killed_is_replaced_and_its_trial_done(tmp_path, capsys):
    once = f"not os.path.exists({str(tmp_path / 'died')!r})"
    kill = f"open({str(tmp_path / 'died')!r}, 'w').close(); os.kill(os.getpid(), signal.SIGKILL)"
    study, stopped = led(tmp_path, worker(tmp_path, 1, when=once, what=kill))
    assert (stopped.reason, stopped.evaluated) == ("trials", 12)
    assert [one.number for one in study.records()] == list(range(12))
    assert "worker 1 was killed (SIGKILL); another takes its place" in capsys.readouterr().err


def test_a_run_whose_workers_all_die_ends_and_says_so(tmp_path, capsys):
    study, stopped = led(tmp_path, worker(tmp_path, 1, when="True", what="os._exit(9)"))
    assert (stopped.reason, stopped.detail) == ("failures", "worker 1 ended with status 9")
    assert study.records() == []
    assert capsys.readouterr().err.count("another takes its place") == 3


def test_time_is_up_for_all(tmp_path):
    _, stopped = led(tmp_path, worker(tmp_path, 1, trials=9999, seconds=0.5), trials=9999, seconds=0.5)
    assert stopped.reason == "seconds"


def test_a_worker_does_not_outlive_its_driver(tmp_path):
    Study.open(tmp_path, config(sampler="random")).run(Arithmetic(), Stop(trials=1))
    started = worker(tmp_path, trials=100_000)
    driver = "import subprocess, sys, os; os.environ[sys.argv[2]] = str(os.getpid())\n"
    driver += (
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); print(child.pid, flush=True); child.wait()"
    )
    words = [sys.executable, "-c", driver, started.command[2], DRIVER]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        while len(Study.load(tmp_path).records()) < 3:
            time.sleep(0.05)
        parent.kill()
    for _ in range(200):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split(")")[1][:3]:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the worker goes on")


@pytest.mark.slow
def test_two_workers_train_one_study_and_leave_what_one_leaves(bitfront, tmp_path):
    words = ("--trials", "4", "--objectives", "acc,bops", *TINY)
    done = bitfront("run", *words, "--workers", "2", "--out", "two", "--cache", "c2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["evaluated"] == 4
    assert (tmp_path / "two" / "front.png").exists()
    alone = bitfront("run", *words, "--out", "one", "--cache", "c1", "--json")
    assert alone.returncode == 0, alone.stderr
    values = [
        {one.candidate: one.measurements["acc"].value for one in Study.load(tmp_path / name).records()}
        for name in ("one", "two")
    ]
    both = values[0].keys() & values[1].keys()
    assert both  # the first design is the same
    assert all(values[0][text] == values[1][text] for text in both)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_interrupted_ends_its_workers_and_keeps_what_is_finished(tmp_path, number, status):
    words = ("run", "--trials", "500", "--objectives", "acc,bops", *TINY, "--workers", "2", "--out", "s")
    command = [sys.executable, "-m", "search", *words, "--cache", "c", "--space", "tiny", "--proposals", "off"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as run:
        while "[2/500" not in (line := run.stderr.readline()):
            assert line, "the run ended by itself"
        run.send_signal(number)
        rest = run.stderr.read()
    assert run.returncode == status, rest
    assert "interrupted; everything finished is kept" in rest
    assert len(Study.load(tmp_path / "s").records()) >= 2
    logs = [(tmp_path / "s" / f"worker-{index}.log").read_text() for index in (1, 2)]
    assert any("interrupted" in log for log in logs)
    assert not (tmp_path / "s" / ".workers").exists()


@pytest.mark.slow
def test_a_worker_refuses_other_images_than_the_studys(bitfront, tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (300, 8, 8), dtype=np.uint8), rng.integers(0, 3, 300)

    def save(shift):
        np.savez(tmp_path / "own.npz", x_train=images + shift, y_train=labels, x_test=images[:50], y_test=labels[:50])

    save(0)
    words = ("--dataset", "own.npz", "--objectives", "acc,bops", *TINY, "--trials", "1", "--out", "s")
    done = bitfront("run", *words, "--cache", "c")
    assert done.returncode == 0, done.stderr
    save(1)
    done = bitfront("worker", "s", "--cache", "c")
    assert done.returncode == 2
    assert "s holds a study with another protocol.checksum: got" in done.stderr
    assert "hint: this host's data, or its device, are others than the study's" in done.stderr


def test_several_workers_on_sqlite_are_refused_with_the_reason(bitfront):
    done = bitfront("run", "--workers", "2", "--storage", "sqlite:///t.db", "--out", "s", *TINY, "--cache", "c")
    assert done.returncode == 2
    assert "several workers in one study: got 'sqlite:///t.db'" in done.stderr
    assert "SQLite locks the whole file" in done.stderr


@pytest.mark.parametrize(("count", "said"), [("0", "workers out of range: got 0"), ("two", "--workers: got 'two'")])
def test_a_number_of_workers_that_is_none_is_refused(study, capsys, count, said):
    from search.cli import main

    assert main(["run", "--workers", count, "--out", "x"]) == 2
    assert said in capsys.readouterr().err


def test_a_worker_without_a_study_is_one_line(bitfront):
    done = bitfront("worker", "nowhere")
    assert done.returncode == 2
    assert "no study: got 'nowhere'" in done.stderr


MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/me/local ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
me@host:/x /mnt/my\\040files fuse.sshfs rw 0 0
/dev/sdc1 /mnt/usb fuseblk rw 0 0
//server/share /win cifs rw 0 0
none /over ext4 rw 0 0
oss:/fs /over lustre rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/data/runs/x", ""),
        ("/home/you/runs", "nfs4"),
        ("/home/me/local/runs", ""),
        ("/homes/x", ""),
        ("/mnt/my files/runs", "fuse.sshfs"),
        ("/mnt/usb/runs", ""),
        ("/win/runs", "cifs"),
        ("/over/runs", "lustre"),
    ],
)
def test_network_file_systems_are_known(tmp_path, folder, kind):
    (tmp_path / "mounts").write_text(MOUNTS)
    assert network_filesystem(Path(folder), tmp_path / "mounts") == kind
    assert network_filesystem(Path(folder), tmp_path / "none") == ""


def test_a_folder_that_is_called_like_a_home_is_one_like_others(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert network_filesystem(Path("~nobody-at-all/study"), tmp_path / "mounts") == network_filesystem(
        Path("study"), tmp_path / "mounts"
    )
