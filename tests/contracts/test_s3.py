"""Members in a bucket, by S3's protocol: what a store of objects does that no folder does, from outside and inside."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from object_server import ALL, NONE

from evaluators.remote import Bucket, open_store
from search.cli import main
from studies import Study

pytestmark = pytest.mark.s3

ROOT = Path(__file__).parents[2]
KEYS = [f"{number:016x}" for number in range(2)]
TENSORS = {"weight": torch.linspace(-1, 1, 12)}
EVALUATE = ("evaluate", "fp:x0.25", "--objectives", "acc", "--epochs", "1", "--train-images", "64", "--images", "16")
WHERE = ("--network", "fcn1", "--cache")


@pytest.fixture(autouse=True)
def fresh_connections():
    """Connections are kept for as long as a process lives, with the credentials they were made with."""
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def opened(bucket):
    import s3fs

    return Bucket(s3fs.S3FileSystem(), f"{bucket}/members")


def python(*words, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_one_of_many_creates_an_object(bucket):
    files = opened(bucket)
    for round_ in range(10):
        with ThreadPoolExecutor(8) as threads:
            made = [*threads.map(lambda one: files.create(f"lease{round_}", b"%d" % one), range(8))]  # noqa: B023
        assert sum(made) == 1
        assert files.read(f"lease{round_}") == b"%d" % made.index(True)


def call(bucket, statements):
    """Let another process write and take away members."""
    code = "import s3fs; files = s3fs.S3FileSystem()\n"
    code += f"def pipe(name, content): files.pipe_file('{bucket}/members/' + name, content)\n"
    code += f"def remove(name): files.rm_file('{bucket}/members/' + name)\n{statements}"
    with python("-c", code, folder=ROOT) as process:
        assert process.wait(30) == 0, process.stderr.read()


def test_what_another_process_wrote_or_took_away_is_seen_at_once(bucket):
    """A folder's listing is remembered by s3fs; what it says may be over."""
    import s3fs

    files, listing = opened(bucket), s3fs.S3FileSystem()
    files.write("seen", b"old")
    assert listing.ls(f"{bucket}/members")
    call(bucket, "pipe('new', b'new'); pipe('seen', b'longer')")
    assert files.exists("new")
    assert files.read("seen") == b"longer"
    assert listing.ls(f"{bucket}/members")
    call(bucket, "remove('new'); remove('seen')")
    assert not files.exists("new")
    assert files.read("seen") is None


RACER = """
import sys, time, torch
from evaluators.remote import RemoteStore

store, log = RemoteStore(sys.argv[1], expiry=2.0), open(sys.argv[2], "a", buffering=1)
for key in sys.argv[3:]:
    def make():
        log.write(f"{key}\\n")
        time.sleep(0.5)
        return {"weight": torch.zeros(3)}, {}
    store.fetch(key, make)
"""


def test_two_processes_make_no_entry_twice(bucket, tmp_path):
    words = ("-c", RACER, f"s3://{bucket}/members", str(tmp_path / "made"))
    racers = [python(*words, *KEYS, folder=tmp_path), python(*words, *KEYS, folder=tmp_path)]
    for one in racers:
        told = one.communicate(timeout=60)
        assert one.returncode == 0, told
    assert Counter((tmp_path / "made").read_text().split()) == Counter(KEYS)


def test_threads_share_a_store(bucket):
    store, made = open_store(f"s3://{bucket}/members"), []

    def make():
        made.append(threading.get_ident())
        return TENSORS, {}

    with ThreadPoolExecutor(6) as threads:
        entries = [*threads.map(lambda key: store.fetch(key, make), KEYS * 3)]
    assert len(made) == len(KEYS)
    assert all(torch.equal(one.tensors["weight"], TENSORS["weight"]) for one in entries)


def refused(capsys, *words):
    """The one line that is said, and the seconds until it was."""
    start = time.monotonic()
    assert main([*words]) == 2
    said, seconds = capsys.readouterr().err, time.monotonic() - start
    assert said.count("\n") == 1
    assert "hunter2" not in said
    return said, seconds


def test_a_bucket_that_is_not_there_is_named_and_not_made(bucket, capsys):
    import s3fs

    said, _ = refused(capsys, *EVALUATE, *WHERE, f"s3://{bucket}x/members")
    assert f"the cache cannot be reached: got 's3://{bucket}x/members'" in said
    assert "The specified bucket does not exist" in said
    assert not s3fs.S3FileSystem().exists(f"{bucket}x")


def test_wrong_credentials_are_named(object_server, bucket, capsys):
    object_server.admit(NONE)
    try:
        said, _ = refused(capsys, *EVALUATE, *WHERE, f"s3://{bucket}/members")
    finally:
        object_server.admit(ALL)
    assert "the cache cannot be reached" in said
    assert "Access Key Id you provided does not exist" in said


def test_an_endpoint_that_does_not_answer_is_named_within_seconds(bucket, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")  # five unless somebody says otherwise, with pauses of random length
    said, seconds = refused(capsys, *EVALUATE, *WHERE, f"s3://{bucket}/members")
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:1/' in said
    assert seconds < 30


@pytest.mark.slow
def test_two_workers_keep_their_members_in_a_bucket(bucket, tmp_path):
    (tmp_path / "space.toml").write_text('precisions = ["fp", "pact4"]\nmembers = [1]\nwidths = [0.25]\n')
    words = ("run", "--objectives", "acc,bops", "--trials", "2", "--workers", "2", "--space", "space.toml", "--json")
    small = ("--epochs", "1", "--train-images", "128", "--images", "16", "--network", "fcn1", "--out", "s")
    with python("-m", "search", *words, *small, "--cache", f"s3://{bucket}/members", folder=tmp_path) as run:
        told, complaints = run.communicate(timeout=120)
    assert run.returncode == 0, complaints
    assert json.loads(told)["evaluated"] == 2
    import s3fs

    kept = [Path(one).name for one in s3fs.S3FileSystem().find(f"{bucket}/members")]
    entries, described = ({Path(one).stem for one in kept if one.endswith(end)} for end in (".safetensors", ".json"))
    assert entries == described != set()
    assert len(kept) == 2 * len(entries)  # no lease is left
    assert Study.load(tmp_path / "s").front()
