import io
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.data import load
from evaluators.data.sources import open_source
from space.errors import UserError


def arrays(**changes: object) -> dict[str, object]:
    rng = np.random.default_rng(0)
    good = {
        "x_train": rng.integers(0, 256, (30, 6, 5), dtype=np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": rng.integers(0, 256, (9, 6, 5), dtype=np.uint8),
        "y_test": np.arange(9) % 3,
    }
    return {name: array for name, array in (good | changes).items() if array is not None}


def npz(folder: Path, **changes: object) -> str:
    np.savez(folder / "own.npz", **arrays(**changes))
    return str(folder / "own.npz")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return Path(npz(tmp_path_factory.mktemp("npz"))).read_bytes()


def complaint(name: str) -> str:
    with pytest.raises(UserError) as caught:
        load(name)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


def test_a_grey_set_is_read_as_it_was_written(tmp_path):
    data = load(npz(tmp_path))
    assert (data.classes, data.shape) == (3, (1, 6, 5))
    assert (len(data.train), len(data.validation), len(data.test)) == (24, 6, 9)
    assert np.array_equal(data.test.images[:, 0].numpy(), arrays()["x_test"])
    assert np.array_equal(data.test.labels.numpy(), arrays()["y_test"])


def test_a_colour_set_gets_its_channels_first(tmp_path):
    colour = np.random.default_rng(1).integers(0, 256, (30, 6, 5, 3), dtype=np.uint8)
    data = load(npz(tmp_path, x_train=colour, x_test=colour[:9]))
    assert data.shape == (3, 6, 5)
    assert np.array_equal(data.test.images.permute(0, 2, 3, 1).numpy(), colour[:9])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "uint64", ">i4"])
def test_labels_of_any_integer_type_are_the_same_data(tmp_path, dtype):
    plain = load(npz(tmp_path)).checksum
    good = arrays()
    data = load(npz(tmp_path, y_train=good["y_train"].astype(dtype), y_test=good["y_test"].astype(dtype)))
    assert data.checksum == plain


def test_a_compressed_fortran_ordered_copy_with_one_channel_is_the_same_data(tmp_path):
    plain = load(npz(tmp_path)).checksum
    good = arrays()
    other = good | {name: np.asfortranarray(good[name][..., None]) for name in ("x_train", "x_test")}
    np.savez_compressed(tmp_path / "other.npz", **other)
    assert load(str(tmp_path / "other.npz")).checksum == plain


@pytest.mark.parametrize("name", list(arrays()))
def test_every_pixel_and_every_label_counts_for_the_checksum(tmp_path, name):
    plain = load(npz(tmp_path)).checksum
    changed = arrays()[name].copy()
    changed.flat[0] = (changed.flat[0] + 1) % 3
    assert load(npz(tmp_path, **{name: changed})).checksum != plain


def test_the_same_bytes_in_another_shape_are_other_data(tmp_path):
    plain = load(npz(tmp_path)).checksum
    turned = {name: arrays()[name].reshape(-1, 5, 6) for name in ("x_train", "x_test")}
    assert load(npz(tmp_path, **turned)).checksum != plain


def test_moving_an_image_from_training_to_test_changes_the_checksum(tmp_path):
    same = np.zeros((30, 2, 2), dtype=np.uint8)
    labels = np.arange(30) % 2
    cut = {}
    for n in (10, 20):
        cut[n] = load(npz(tmp_path, x_train=same[:n], y_train=labels[:n], x_test=same[n:], y_test=labels[n:]))
    assert cut[10].checksum != cut[20].checksum


GOOD = arrays()
TYPES = "type of x_train: got 'float32'; expected uint8; hint: scale to 0 to 255, then .astype('uint8')"
SHAPES = "expected N×H×W, N×H×W×1 or N×H×W×3"
BAD = {
    "two arrays": (
        {"x_train": None, "y_test": None},
        "the npz file lacks x_train, y_test: got 'x_test, y_train'",
    ),
    "float images": ({"x_train": GOOD["x_train"].astype("float32")}, TYPES),
    "flat images": (
        {"x_train": GOOD["x_train"].reshape(30, 30)},
        f"shape of x_train: got (30, 30); {SHAPES}",
    ),
    "one image": ({"x_test": np.uint8(3)}, f"shape of x_test: got (); {SHAPES}"),
    "channels first": (
        {"x_train": np.zeros((30, 3, 6, 5), np.uint8)},
        f"shape of x_train: got (30, 3, 6, 5); {SHAPES}; hint: channels come last: .transpose(0, 2, 3, 1)",
    ),
    "four channels": (
        {"x_test": np.zeros((9, 6, 5, 4), np.uint8)},
        f"shape of x_test: got (9, 6, 5, 4); {SHAPES}",
    ),
    "float labels": ({"y_train": GOOD["y_train"] * 1.0}, "type of y_train: got 'float64'; expected integers"),
    "text labels": ({"y_test": np.array(["cat"] * 9)}, "type of y_test: got '<U3'; expected integers"),
    "column of labels": (
        {"y_train": GOOD["y_train"][:, None]},
        "shape of y_train: got (30, 1); expected N; hint: .reshape(-1)",
    ),
    "one-hot labels": (
        {"y_train": np.eye(3, dtype=int)[GOOD["y_train"]]},
        "shape of y_train: got (30, 3); expected N; hint: one number per image, not one-hot",
    ),
    "one label": ({"y_test": np.int64(1)}, "shape of y_test: got (); expected N; hint: one number per image"),
    "fewer labels": (
        {"y_train": GOOD["y_train"][:-1]},
        "training images and labels differ in number: got (30, 29); expected one label per image",
    ),
    "more test labels": ({"y_test": GOOD["y_train"]}, "test images and labels differ in number: got (9, 30)"),
    "no training images": (
        {"x_train": GOOD["x_train"][:0], "y_train": GOOD["y_train"][:0]},
        "the training set is empty: got (0, 6, 5, 1); expected at least one image of one pixel",
    ),
    "no test images": ({"x_test": GOOD["x_test"][:0], "y_test": GOOD["y_test"][:0]}, "the test set is empty"),
    "no pixels": ({"x_train": GOOD["x_train"][:, :0]}, "the training set is empty: got (30, 0, 5, 1)"),
    "negative": (
        {"y_train": GOOD["y_train"] - 1},
        "negative training label: got -1; expected classes numbered from 0",
    ),
    "negative test": ({"y_test": GOOD["y_test"] - 1}, "negative test label: got -1"),
    "from one": (
        {"y_train": GOOD["y_train"] + 1},
        "training labels out of range: no image of class 0: got '1 to 3'; expected all of 0 to 2",
    ),
    "gap": (
        {"y_train": np.where(GOOD["y_train"] == 2, 255, GOOD["y_train"])},
        "training labels out of range: no image of class 2: got '0 to 255'; expected all of 0 to 2",
    ),
    "enormous": (
        {"y_train": np.full(30, 2**64 - 1, dtype=np.uint64)},
        "label out of range in y_train: got 18446744073709551615; expected classes numbered from 0",
    ),
    "one class": (
        {"y_train": GOOD["y_train"] * 0},
        "too few classes in the training labels: got 1; expected at least 2",
    ),
    "single image of a class": (
        {"y_train": np.array([3, *GOOD["y_train"][1:]])},
        "too few training images of class 3: got 1; expected at least 2, so that every split gets one",
    ),
    "class of the test set only": (
        {"y_test": np.array([3] * 9)},
        "test label out of range: got 3; expected at most 2, the highest class of the training set",
    ),
    "other size": (
        {"x_test": GOOD["x_test"].transpose(0, 2, 1)},
        "size of the test images: got (5, 6, 1); expected (6, 5, 1) as in the training set",
    ),
    "other channels": (
        {"x_test": np.zeros((9, 6, 5, 3), np.uint8)},
        "size of the test images: got (6, 5, 3); expected (6, 5, 1) as in the training set",
    ),
    "objects": (
        {"x_train": np.array([None, 1], dtype=object)},
        "array x_train cannot be read: got 'Object arrays cannot be loaded when allow_pickle=False'; "
        "expected a plain array of integers: pickled Python objects are never loaded",
    ),
}


@pytest.mark.parametrize(("changes", "text"), BAD.values(), ids=BAD)
def test_bad_arrays_are_named(tmp_path, changes, text):
    assert complaint(npz(tmp_path, **changes)).startswith(text)


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / "no.npz")
    with pytest.raises(UserError) as caught:
        load(path)
    assert caught.value.what == "no such data file"
    assert caught.value.got == path


def test_a_folder_is_no_npz_file(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    text = complaint(str(tmp_path / "folder.npz"))
    assert text.startswith("not a data file: got ")
    assert text.endswith("; expected an npz file; hint: folders: folder:PATH")


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 half a zip"])
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    assert complaint(str(tmp_path / "own.npz")).startswith("the data file is damaged or no npz file: got ")


def test_a_single_array_is_no_npz_file(tmp_path):
    np.save(tmp_path / "own.npy", GOOD["x_train"])
    (tmp_path / "own.npy").rename(tmp_path / "own.npz")
    assert complaint(str(tmp_path / "own.npz")).startswith("the data file is damaged or no npz file: got ")


@given(st.data())
def test_a_truncated_file_is_damaged(intact, data):
    keep = data.draw(st.integers(0, len(intact) - 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.npz"
        path.write_bytes(intact[:keep])
        assert complaint(str(path)).startswith("the data file is damaged or no npz file: got ")


@given(st.data())
def test_a_flipped_bit_is_noticed_or_changes_nothing(intact, data):
    damaged = bytearray(intact)
    damaged[data.draw(st.integers(0, len(intact) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as folder:
        path, clean = Path(folder) / "own.npz", Path(folder) / "clean.npz"
        path.write_bytes(damaged)
        clean.write_bytes(intact)
        try:
            found = open_source(str(path))
        except UserError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert found.checksum() == open_source(str(clean)).checksum()


class Trap:
    """Unpickling it creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_a_pickled_object_in_an_array_is_not_executed(tmp_path):
    mark = tmp_path / "executed"
    path = npz(tmp_path, x_train=np.array([Trap(mark)] * 2, dtype=object))
    assert complaint(path).startswith("array x_train cannot be read: got 'Object arrays cannot be loaded")
    assert not mark.exists()
    with np.load(path, allow_pickle=True) as trusting:
        assert trusting["x_train"].shape == (2,)
    assert mark.exists()  # so the trap does work


def test_a_pickle_in_place_of_an_array_is_not_executed(tmp_path):
    mark = tmp_path / "executed"
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        for name, array in GOOD.items():
            content = io.BytesIO(pickle.dumps(Trap(mark)))
            if name != "y_test":
                np.save(content, array)
            archive.writestr(f"{name}.npy", content.getvalue())
    assert complaint(str(tmp_path / "own.npz")).startswith("array y_test cannot be read: got ")
    assert not mark.exists()


def test_a_pickle_in_place_of_the_file_is_not_executed(tmp_path):
    mark = tmp_path / "executed"
    (tmp_path / "own.npz").write_bytes(pickle.dumps(Trap(mark)))
    assert complaint(str(tmp_path / "own.npz")).startswith("the data file is damaged or no npz file: got ")
    assert not mark.exists()
