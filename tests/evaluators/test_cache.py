import io
import json
import math
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from entries import KEY, META, TENSORS, files, run, same
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from evaluators.cache import DamagedEntry, Entry, Store, default_root
from space.errors import UserError


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
