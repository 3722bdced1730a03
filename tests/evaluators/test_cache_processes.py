"""A cache that processes share, are killed beside, and fill the disk under."""

import os
import signal
import subprocess
import sys
import time
import warnings

import pytest
from entries import KEY, META, TENSORS, files, run, same

from evaluators.cache import DamagedEntry, Store

RACE = """
import sys, time, torch
from pathlib import Path
from evaluators.cache import Store
folder, me = Path(sys.argv[1]), sys.argv[2]
store = Store(folder / "cache")

def train():
    (folder / f"trained by {me}").touch()
    time.sleep(0.5)
    return {"weight": torch.full((3,), float(me))}, {"by": me}

(folder / f"ready {me}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
print(store.fetch("0123456789abcdef", train).meta["by"])
"""


def test_processes_that_race_for_a_member_train_it_once(tmp_path):
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    racers = [subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, text=True) for i in range(2)]
    while len(list(tmp_path.glob("ready *"))) < len(racers):
        assert all(racer.poll() is None for racer in racers)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    answers = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0]
    assert len(answers) == 1
    assert [path.name for path in tmp_path.glob("trained by *")] == [f"trained by {answers.pop()}"]


KILLED = """
import os, signal, sys, torch
from pathlib import Path
from evaluators import cache

def dying(call, after):
    calls = []
    def wrapped(*args):
        calls.append(args)
        if len(calls) > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args)
    return wrapped

os.fsync = dying(os.fsync, int(sys.argv[2]))
cache.Store(Path(sys.argv[1])).save("0123456789abcdef", {"weight": torch.ones(3)}, {})
"""


@pytest.mark.parametrize("after", [0, 1])
def test_a_kill_in_the_middle_of_a_save_leaves_nothing_that_loads(store, after):
    """The first flush is of the tensors, the second of the description."""
    done = run(KILLED, store.root, after)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len([name for name in files(store) if name.endswith(".safetensors")]) == after
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert store.load(KEY) is None
        store.fetch(KEY, lambda: (TENSORS, META))
    assert {warning.category for warning in caught} == ({DamagedEntry} if after else set())
    assert same(store.load(KEY).tensors, TENSORS)


def test_temporary_files_of_killed_processes_go_after_a_day(tmp_path):
    for name, age in (("old.json.x.tmp", 90_000), ("young.json.y.tmp", 80_000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert files(Store(tmp_path)) == ["young.json.y.tmp"]


FULL = """
import resource, sys, torch
from pathlib import Path
from evaluators.cache import Store
from space.errors import UserError
store = Store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    store.save("0123456789abcdef", {"weight": torch.ones(5000)}, {})
except UserError as error:
    print(error)
"""


def test_a_full_disk_is_named_and_leaves_nothing(store):
    done = run(FULL, store.root)
    assert done.stdout.startswith("the cache cannot be written (File too large): got "), done.stderr
    assert files(store) == []
