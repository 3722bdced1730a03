import pickle
import subprocess
import sys
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from evaluators.data import load
from evaluators.data.public import PUBLIC
from evaluators.data.sources import open_source
from evaluators.opening import open_evaluator
from space import Candidate
from space.errors import UserError

RNG = np.random.default_rng(0)
SIZES = {"train": 40, "t10k": 20}
DIGITS = {part: RNG.integers(0, 256, (n, 28, 28), dtype=np.uint8) for part, n in SIZES.items()}


def labels(n: int, classes: int) -> np.ndarray:
    return (np.arange(n) % classes).astype(np.uint8)


def write_idx(root: Path, folder: str) -> None:
    """Write images and labels in the format of LeCun's files: magic number, sizes (big-endian), bytes."""
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for part, images in DIGITS.items():
        header = np.array([0x803, *images.shape], dtype=">u4").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = np.array([0x801, len(images)], dtype=">u4").tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels(len(images), 10).tobytes())


def write_cifar(
    root: Path, reader: type, key: str, monkeypatch: pytest.MonkeyPatch, n: int = 40, classes: int = 10
) -> np.ndarray:
    """Write small batches in CIFAR's format (rows of 3072 bytes, channels first), their sums made known."""
    folder = root / reader.base_folder
    folder.mkdir()
    pixels = RNG.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
    content = pickle.dumps({"data": pixels.reshape(n, -1), key: labels(n, classes).tolist()})
    meta = pickle.dumps({reader.meta["key"]: [str(label) for label in range(classes)]})
    for name in ("only", "meta"):
        (folder / name).write_bytes(content if name == "only" else meta)
    for parts in ("train_list", "test_list"):
        monkeypatch.setattr(reader, parts, [["only", md5(content).hexdigest()]])
    monkeypatch.setattr(reader, "meta", reader.meta | {"filename": "meta", "md5": md5(meta).hexdigest()})
    return pixels


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_idx_files_are_read(tmp_path, name):
    write_idx(tmp_path, PUBLIC[name])
    source = open_source(name, root=tmp_path)
    assert np.array_equal(source.train.images[..., 0], DIGITS["train"])
    assert np.array_equal(source.test.images[..., 0], DIGITS["t10k"])
    assert source.train.labels.tolist() == labels(40, 10).tolist()
    data = load(name, root=tmp_path)
    assert (data.name, data.classes, data.shape, len(data.test)) == (name, 10, (1, 28, 28), 20)


@pytest.mark.parametrize(("name", "key"), [("cifar10", "labels"), ("cifar100", "fine_labels")])
def test_cifar_files_are_read(tmp_path, monkeypatch, name, key):
    pixels = write_cifar(tmp_path, getattr(datasets, PUBLIC[name]), key, monkeypatch)
    data = load(name, root=tmp_path)
    assert data.shape == (3, 32, 32)
    assert np.array_equal(data.test.images.numpy(), pixels)
    assert data.test.labels.tolist() == labels(40, 10).tolist()


def test_a_network_of_cifar100_tells_100_classes_apart(tmp_path, monkeypatch):
    costs = {}
    for name, key, classes in (("cifar10", "labels", 10), ("cifar100", "fine_labels", 100)):
        write_cifar(tmp_path, getattr(datasets, PUBLIC[name]), key, monkeypatch, n=300, classes=classes)
        evaluator = open_evaluator(dataset=name, network="resnet20", data_root=tmp_path, cache=tmp_path / "cache")
        costs[name] = evaluator.cost(Candidate.parse("mbn3x1"))["memory"].value
    last = 64  # bytes of the last layer's weights for one class: the first and last layer keep 8 bits
    assert costs["cifar100"] - costs["cifar10"] == 90 * last


def test_the_same_images_in_an_npz_file_have_the_same_checksum(tmp_path):
    write_idx(tmp_path, "MNIST")
    train, test = DIGITS["train"], DIGITS["t10k"]
    arrays = {"x_train": train, "y_train": labels(40, 10), "x_test": test, "y_test": labels(20, 10)}
    np.savez(tmp_path / "own.npz", **arrays)
    assert load("mnist", root=tmp_path).checksum == load(str(tmp_path / "own.npz")).checksum


@pytest.mark.parametrize("name", PUBLIC)
def test_an_absent_set_names_the_folder_and_the_way_out(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        load(name, root=Path("sets"))
    assert str(caught.value) == (
        f"data set {name} is absent or damaged: got 'sets'; expected its files; "
        "hint: --download fetches it, --data-root names another folder"
    )
    assert not (tmp_path / "sets").exists()


def test_the_default_folder_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BITFRONT_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="data set mnist is absent"):
        load("mnist")
    write_idx(tmp_path / "datasets", "MNIST")
    assert len(load("mnist").test) == 20


@pytest.mark.parametrize("keep", [0, 3, 1000])
def test_a_truncated_set_is_damaged(tmp_path, keep):
    write_idx(tmp_path, "MNIST")
    file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"^data set mnist is absent or damaged: got "):
        load("mnist", root=tmp_path)


def test_a_changed_cifar_file_is_not_unpickled(tmp_path, monkeypatch):
    write_cifar(tmp_path, datasets.CIFAR10, "labels", monkeypatch)
    file = tmp_path / "cifar-10-batches-py" / "only"
    file.write_bytes(pickle.dumps({"data": 0}))
    with pytest.raises(UserError, match=r"^data set cifar10 is absent or damaged: got "):
        load("cifar10", root=tmp_path)


def test_a_download_into_nowhere_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError) as caught:
        load("mnist", root=tmp_path / "file", download=True)
    assert caught.value.what == "data set mnist cannot be downloaded"
    assert "Not a directory" in str(caught.value.got)
    assert caught.value.hint == "is there a network, and can the folder of --data-root be written?"


def test_torchvision_is_loaded_only_when_needed():
    code = "import sys, evaluators.data; evaluators.data.load('mnist5k'); print('torchvision' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
