"""What every store of members promises: in a folder of this host, or under a URL that many hosts reach."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from typing import ClassVar
from uuid import uuid4

import pytest
import torch

from evaluators.cache import DamagedEntry, Store
from evaluators.leases import Lease
from evaluators.remote import Bucket, RemoteStore, open_store
from space.errors import UserError

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
TENSORS = {"weight": torch.linspace(-1, 1, 12).reshape(3, 4)}
META = {"member": "mbn3x1", "epochs": 4}
PROCESS = multiprocessing.get_context("fork")


S3 = pytest.param("s3", marks=pytest.mark.s3)


@pytest.fixture(params=["folder", "file", "memory", S3])
def place(request, tmp_path):
    """Where the store is, for `open_store`."""
    if request.param == "s3":
        return f"s3://{request.getfixturevalue('bucket')}/cache"
    return {
        "folder": str(tmp_path / "cache"),
        "file": f"file://{tmp_path}/cache",
        "memory": f"memory://{uuid4().hex}/cache",
    }[request.param]


@pytest.fixture
def store(place):
    return open_store(place)


@pytest.fixture(params=["folder", "file", S3])
def shared(request, tmp_path):
    """One that other processes reach."""
    if request.param == "s3":
        return f"s3://{request.getfixturevalue('bucket')}/cache"
    return str(tmp_path / "cache") if request.param == "folder" else f"file://{tmp_path}/cache"


def files_of(place):
    """The files of a store as they lie there, and the path of the store."""
    from fsspec.core import url_to_fs

    return url_to_fs(place if "://" in place else f"file://{place}")


def same(entry):
    return entry is not None and torch.equal(entry.tensors["weight"], TENSORS["weight"]) and entry.meta == META


def test_what_was_saved_is_loaded_by_another(store, place):
    assert store.load(KEY) is None
    assert not store.holds(KEY)
    assert same(store.save(KEY, TENSORS, META))
    again = open_store(place)
    assert again.holds(KEY)
    assert same(again.load(KEY))
    assert again.load(OTHER) is None


def test_what_lacks_is_made_once(store):
    made = []

    def make():
        made.append(1)
        return TENSORS, META

    assert same(store.fetch(KEY, make)) and same(store.fetch(KEY, make))
    assert len(made) == 1


def test_a_failure_leaves_nothing_and_frees_the_entry(store):
    def diverge():
        raise FloatingPointError("the loss is NaN")

    with pytest.raises(FloatingPointError):
        store.fetch(KEY, diverge)
    assert not store.holds(KEY)
    assert same(store.fetch(KEY, lambda: (TENSORS, META)))


def test_locks_nest_within_a_thread(store):
    with store.lock(KEY), store.lock(KEY), store.lock(OTHER):
        assert same(store.fetch(KEY, lambda: (TENSORS, META)))


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "0123456789ABCDEF", "g" * 16])
def test_keys_are_hex(store, key):
    with pytest.raises(ValueError, match="a key is 8 to 64 lower-case hex digits"):
        store.load(key)
    with pytest.raises(ValueError, match="a key is 8 to 64 lower-case hex digits"), store.lock(key):
        pass


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1] + bytes([content[-1] ^ 1]), lambda content: content[:9]]
)
def test_other_content_than_was_saved_is_not_used(shared, damage):
    store = open_store(shared)
    store.save(KEY, TENSORS, META)
    files, root = files_of(shared)
    path = f"{root}/{KEY}.safetensors"
    files.pipe_file(path, damage(files.cat_file(path)))
    with pytest.warns(DamagedEntry, match=f"{KEY} is damaged and ignored: .*its checksum does not match"):
        assert store.load(KEY) is None
    with pytest.warns(DamagedEntry):
        assert same(store.fetch(KEY, lambda: (TENSORS, META)))
    assert same(store.load(KEY))


def race(place, folder, expiry=None):
    """Fetch an entry, and note who makes it."""
    store = RemoteStore(place, expiry) if expiry else open_store(place)

    def make():
        (folder / f"made by {os.getpid()}").touch()
        time.sleep(0.3)
        return TENSORS, META

    store.fetch(KEY, make)


def test_processes_that_race_for_an_entry_make_it_once(shared, tmp_path):
    racers = [PROCESS.Process(target=race, args=(shared, tmp_path)) for _ in range(4)]
    for one in racers:
        one.start()
    for one in racers:
        one.join(30)
        assert one.exitcode == 0
    assert len(list(tmp_path.glob("made by *"))) == 1
    assert same(open_store(shared).load(KEY))
    files, root = files_of(shared)
    assert not [name for name in files.find(root) if name.endswith(".lease")]


def hold(place, ready, expiry):
    """Take an entry's lock and die with it."""
    store = RemoteStore(place, expiry) if "://" in place else open_store(place)
    with store.lock(KEY):
        ready.touch()
        time.sleep(60)


def test_what_a_killed_process_was_making_is_made_by_the_next(shared, tmp_path):
    expiry = 2.0 if shared.startswith("s3:") else 0.4
    holder = PROCESS.Process(target=hold, args=(shared, tmp_path / "ready", expiry))
    holder.start()
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    next_one = PROCESS.Process(target=race, args=(shared, tmp_path, expiry if "://" in shared else None))
    next_one.start()
    time.sleep(expiry + 0.6)
    assert not list(tmp_path.glob("made by *"))  # the holder lives, and renews what it holds
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    next_one.join(30)
    assert next_one.exitcode == 0
    assert len(list(tmp_path.glob("made by *"))) == 1


def test_a_file_system_without_exclusive_creation_lets_the_last_one_win():
    class Plain:
        """Creates whatever is asked, as the simplest remote places do."""

        def __init__(self):
            self.files = {}

        def read(self, name):
            return self.files.get(name)

        def write(self, name, content):
            self.files[name] = content

        def create(self, name, content):
            self.files[name] = content
            return True

        def remove(self, name):
            self.files.pop(name, None)

    files = Plain()
    first, second = (Lease(files, "lease", expiry=5.0, poll=0.01, settle=0.2) for _ in range(2))
    held = []

    def take(lease):
        if lease.acquire(lambda: bool(held)):
            held.append(lease)

    threads = [threading.Thread(target=take, args=(one,)) for one in (first, second)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert len(held) == 1
    held[0].release()
    assert files.files == {}


def test_a_lease_outlives_a_moment_in_which_its_place_is_away(tmp_path):
    """A beat that fails is followed by one that does not."""
    fsspec = pytest.importorskip("fsspec")
    files = Bucket(fsspec.filesystem("memory"), f"/{uuid4().hex}")
    lease = Lease(files, "lease", expiry=0.4, poll=0.01, settle=0.0)
    assert lease.acquire(lambda: False)
    write, fails = files.write, [OSError("away")]

    def once_away(name, content):
        if fails:
            raise fails.pop()
        write(name, content)

    files.write, first = once_away, files.read("lease")
    time.sleep(0.4)
    assert not fails
    assert files.read("lease") != first
    lease.release()


def test_a_conflict_that_a_server_only_names_is_no_creation():
    """Amazon's 409 while another creates, and the 412 of servers that leave out which condition did not hold."""

    class ConflictError(Exception):
        response: ClassVar = {"Error": {"Code": "ConditionalRequestConflict"}}

    class Files:
        protocol = "s3"

        def pipe_file(self, path, content, mode):
            raise OSError(5, "conflict") from self.cause

    files = Files()
    files.cause = ConflictError()
    assert not Bucket(files, "bucket").create("lease", b"")
    files.cause = None
    with pytest.raises(OSError, match="conflict"):
        Bucket(files, "bucket").create("lease", b"")


def test_a_lease_that_was_lost_is_not_taken_away_from_its_holder(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    files = Bucket(fsspec.filesystem("memory"), f"/{uuid4().hex}")
    first = Lease(files, "lease", expiry=60.0, poll=0.01, settle=0.0)
    assert first.acquire(lambda: False)
    files.write("lease", b"another 0")
    first.release()
    assert files.read("lease") == b"another 0"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense://here", r"--cache: got 'nonsense://here'; expected a folder, or a URL that fsspec knows"),
        ("file:///proc/none/cache", r"the cache cannot be reached: got 'file:///proc/none/cache'"),
        ("nonsense://me:secret@here/x", r"got 'nonsense://\*\*\*@here/x'"),
        pytest.param(
            "s3://me:secret@bucket/x", r"got 's3://\*\*\*@bucket/x'; hint: .*\*\*\*@bucket", marks=pytest.mark.s3
        ),
    ],
)
def test_a_place_that_cannot_be_used_is_one_line(url, said):
    with pytest.raises(UserError, match=said) as refusal:
        open_store(url)
    assert "secret" not in str(refusal.value)


def test_the_environment_may_name_a_url(monkeypatch, tmp_path):
    monkeypatch.setenv("BITFRONT_CACHE", f"file://{tmp_path}/shared")
    assert isinstance(open_store(None), RemoteStore)
    assert type(open_store(tmp_path / "own")) is Store


def test_an_entry_whose_description_is_not_written_yet_is_not_there(tmp_path):
    """The tensors are written first: a reader may come between."""
    store = RemoteStore(f"file://{tmp_path}/cache")
    store.save(KEY, TENSORS, META)
    (tmp_path / "cache" / f"{KEY}.json").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert RemoteStore(f"file://{tmp_path}/cache").load(KEY) is None
