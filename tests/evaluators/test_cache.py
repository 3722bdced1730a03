import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from evaluators.cache import DamagedEntry, Entry, Store, default_root
from space.errors import UserError

KEY = "0123456789abcdef"
TENSORS = {"weight": torch.linspace(-1, 1, 12).reshape(3, 4), "steps": torch.tensor(7)}
META = {"member": "mbn3x1", "epochs": 4, "loss": 0.25}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Equal names, shapes, types and bits (so that NaN equals itself, and 0.0 differs from -0.0)."""

    def bits(tensor: Tensor) -> tuple[object, ...]:
        plain = tensor.detach().contiguous().reshape(-1)
        return tensor.dtype, tensor.shape, bytes(plain.view(torch.uint8).tolist() if plain.numel() else [])

    return {name: bits(tensor) for name, tensor in left.items()} == {name: bits(t) for name, t in right.items()}


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.iterdir() if path.is_file())


def run(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The two files of an intact entry, by name."""
    store = Store(tmp_path_factory.mktemp("written"))
    store.save(KEY, TENSORS, META)
    return {name: (store.root / name).read_bytes() for name in files(store)}


def damaged(folder: str, content: dict[str, bytes]) -> Store:
    store = Store(Path(folder))
    for name, data in content.items():
        (store.root / name).write_bytes(data)
    return store


def is_refused(store: Store) -> bool:
    with pytest.warns(DamagedEntry, match=f"^cache entry {KEY} is damaged and ignored: "):
        return store.load(KEY) is None


def test_nothing_is_found_in_an_empty_store(store):
    assert store.load(KEY) is None


def test_what_was_saved_is_loaded(store):
    store.save(KEY, TENSORS, META)
    entry = Store(store.root).load(KEY)
    assert isinstance(entry, Entry)
    assert same(entry.tensors, TENSORS)
    assert entry.meta == META


def test_saving_returns_what_loading_will(store):
    saved, loaded = store.save(KEY, TENSORS, {"pair": (1, 2)}), store.load(KEY)
    assert same(saved.tensors, loaded.tensors)
    assert saved.meta == loaded.meta == {"pair": [1, 2]}


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([0.0, -0.0, math.nan, math.inf, 1e-45]),
        torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        torch.tensor([1.5, -2.0], dtype=torch.float16),
        torch.tensor([1.5, math.nan], dtype=torch.float64),
        torch.tensor([2**62, -1]),
        torch.tensor([5], dtype=torch.int32),
        torch.tensor([True, False]),
        torch.arange(256, dtype=torch.uint8),
        torch.tensor(3),
        torch.zeros(0, 3),
    ],
    ids=lambda tensor: f"{tensor.dtype}{list(tensor.shape)}",
)
def test_every_type_makes_the_round_trip_bit_by_bit(store, tensor):
    store.save(KEY, {"tensor": tensor}, {})
    assert same(store.load(KEY).tensors, {"tensor": tensor})


def test_memory_layout_sharing_and_gradients_do_not_matter(store):
    weight = torch.nn.Parameter(torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0)))
    views = {
        "parameter": weight,
        "channels last": weight.to(memory_format=torch.channels_last),
        "transposed": weight.transpose(0, 1),
        "tied": weight[:],
        "expanded": torch.ones(1).expand(5),
    }
    store.save(KEY, views, {})
    loaded = store.load(KEY).tensors
    assert same(loaded, views)
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in loaded.values())


def test_entries_may_be_empty(store):
    store.save(KEY, {}, {})
    entry = store.load(KEY)
    assert (entry.tensors, entry.meta) == ({}, {})


def test_loaded_tensors_can_be_trained_on_without_touching_the_store(store):
    store.save(KEY, TENSORS, META).tensors["weight"].zero_()
    store.load(KEY).tensors["weight"].zero_()
    assert same(store.load(KEY).tensors, TENSORS)


def test_saving_again_replaces(store):
    store.save(KEY, TENSORS, META)
    store.save(KEY, {"other": torch.ones(2)}, {"epochs": 8})
    entry = store.load(KEY)
    assert same(entry.tensors, {"other": torch.ones(2)})
    assert entry.meta == {"epochs": 8}


def test_an_entry_is_two_files_and_nothing_else(store):
    store.save(KEY, TENSORS, META)
    assert files(store) == [f"{KEY}.json", f"{KEY}.safetensors"]


def test_the_description_is_json_with_the_sum_of_the_tensors(store):
    store.save(KEY, TENSORS, META)
    described = json.loads((store.root / f"{KEY}.json").read_text())
    assert described["meta"] == META
    assert described["tensors_sha256"] == sha256((store.root / f"{KEY}.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("meta", [{"loss": math.nan}, {"loss": math.inf}])
def test_numbers_that_json_lacks_are_refused_before_anything_is_written(store, meta):
    with pytest.raises(ValueError, match="JSON compliant"):
        store.save(KEY, TENSORS, meta)
    assert files(store) == []


@pytest.mark.parametrize("key", ["", "abc", "../../../etc/passwd", "0123456789ABCDEF", f"{KEY}\n", "g" * 16, "a" * 65])
def test_keys_are_hex(store, key):
    for use in (store.load, lambda key: store.save(key, {}, {}), lambda key: store.lock(key).__enter__()):
        with pytest.raises(ValueError, match="a key is 8 to 64 lower-case hex digits, not"):
            use(key)


@pytest.mark.parametrize("name", [f"{KEY}.json", f"{KEY}.safetensors"])
@given(data=st.data())
def test_any_flipped_bit_is_noticed(written, name, data):
    content = bytearray(written[name])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as folder:
        assert is_refused(damaged(folder, written | {name: bytes(content)}))


@pytest.mark.parametrize("name", [f"{KEY}.json", f"{KEY}.safetensors"])
@given(data=st.data())
def test_any_truncation_is_noticed(written, name, data):
    keep = data.draw(st.integers(0, len(written[name]) - 1))
    with tempfile.TemporaryDirectory() as folder:
        assert is_refused(damaged(folder, written | {name: written[name][:keep]}))


@pytest.mark.parametrize("name", [f"{KEY}.json", f"{KEY}.safetensors"])
def test_half_an_entry_is_refused(tmp_path, written, name):
    assert is_refused(damaged(str(tmp_path), {name: written[name]}))


@pytest.mark.parametrize("text", ["[]", "{}", "7", '{"meta": 3}', '{"meta": {"loss": NaN}}', '"meta"', "[" * 99_999])
def test_other_json_is_refused(tmp_path, written, text):
    assert is_refused(damaged(str(tmp_path), written | {f"{KEY}.json": text.encode()}))


def test_an_entry_under_another_key_is_refused(tmp_path, written):
    other = "f" * 16
    store = damaged(str(tmp_path), {name.replace(KEY, other): data for name, data in written.items()})
    with pytest.warns(DamagedEntry, match="its checksum does not match"):
        assert store.load(other) is None


def test_a_damaged_entry_is_made_again_with_a_warning(tmp_path, written):
    store = damaged(str(tmp_path), written | {f"{KEY}.safetensors": b"?"})
    with pytest.warns(DamagedEntry):
        store.fetch(KEY, lambda: (TENSORS, META))
    assert same(store.load(KEY).tensors, TENSORS)


def test_fetch_makes_an_entry_once(store):
    made = []

    def make():
        made.append(1)
        return TENSORS, META

    first, second = store.fetch(KEY, make), store.fetch(KEY, make)
    assert len(made) == 1
    assert same(first.tensors, second.tensors) and first.meta == second.meta


def _diverge() -> tuple[dict[str, Tensor], dict[str, object]]:
    raise FloatingPointError("the loss is NaN")


def test_a_failure_while_making_leaves_nothing_and_frees_the_lock(store):
    with pytest.raises(FloatingPointError):
        store.fetch(KEY, _diverge)
    assert files(store) == []
    assert same(store.fetch(KEY, lambda: (TENSORS, META)).tensors, TENSORS)


def test_locks_nest_within_a_thread(store):
    with store.lock(KEY), Store(store.root).lock(KEY):
        assert store.fetch(KEY, lambda: (TENSORS, META)).meta == META


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


def test_a_root_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError) as caught:
            Store(root)
        assert caught.value.got == str(root)
        assert caught.value.what == "the cache cannot be written (Not a directory)"
        assert caught.value.hint == "choose another folder with --cache or BITFRONT_CACHE"


def test_a_root_that_cannot_be_written_is_named():
    with pytest.raises(UserError, match=r"^the cache cannot be written \(.+\): got '/proc/self/cache'; hint: "):
        Store(Path("/proc/self/cache"))


NO_PICKLE = """
import sys, torch
from pathlib import Path
from evaluators.cache import Store

def refuse(event, args):
    if event in ("pickle.find_class", "marshal.loads"):
        raise RuntimeError(event)

store, key = Store(Path(sys.argv[1])), "0123456789abcdef"
store.save("ffffffffffffffff", {"weight": torch.ones(2)}, {})
store.load("ffffffffffffffff")
sys.addaudithook(refuse)
store.save(key, {"weight": torch.ones(3)}, {"epochs": 4})
print(store.load(key).tensors["weight"].tolist())
"""


def test_saving_and_loading_use_no_pickle(store):
    done = run(NO_PICKLE, store.root)
    assert done.stdout.strip() == "[1.0, 1.0, 1.0]", done.stderr


class Trap:
    """Unpickling it creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_a_planted_pickle_with_the_right_checksum_is_not_executed(tmp_path):
    store, mark = Store(tmp_path / "cache"), tmp_path / "executed"
    content = store.root / f"{KEY}.safetensors"
    pickled = io.BytesIO()
    torch.save({"weight": Trap(mark)}, pickled)
    content.write_bytes(pickled.getvalue())
    body = {"key": KEY, "meta": {}, "tensors_sha256": sha256(content.read_bytes()).hexdigest()}
    sealed = body | {"sha256": sha256(json.dumps(body, sort_keys=True, indent=1).encode()).hexdigest()}
    (store.root / f"{KEY}.json").write_text(json.dumps(sealed, sort_keys=True, indent=1))
    with pytest.warns(DamagedEntry, match="SafetensorError"):
        assert store.load(KEY) is None
    assert not mark.exists()
    torch.load(io.BytesIO(content.read_bytes()), weights_only=False)
    assert mark.exists()  # so the trap does work


@pytest.mark.parametrize(
    ("own", "shared", "expected"),
    [
        ("/own", "/shared", "/own"),
        ("~/own", "/shared", "HOME/own"),
        (None, "/shared", "/shared/bitfront"),
        (None, None, "HOME/.cache/bitfront"),
        ("", "", "HOME/.cache/bitfront"),
    ],
)
def test_the_default_root_follows_the_environment(tmp_path, monkeypatch, own, shared, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in (("BITFRONT_CACHE", own), ("XDG_CACHE_HOME", shared)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert str(default_root()) == expected.replace("HOME", str(tmp_path))
