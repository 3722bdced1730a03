"""Opening an evaluator: the defaults for what was not named, and one line for what is wrong."""

from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators import opening
from evaluators.base import Budget
from evaluators.evaluator import Evaluator
from evaluators.networks.catalogue import NETWORKS
from evaluators.opening import faster_dtype, find_device, open_evaluator
from evaluators.seeds import stream
from space import UserError


@pytest.fixture
def own_images(tmp_path: Path):
    """Writes 40 images of this shape as an npz file."""

    def write(*shape: int) -> str:
        rng = np.random.default_rng(0)
        arrays = {}
        for part, count in (("train", 30), ("test", 10)):
            arrays[f"x_{part}"] = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
            arrays[f"y_{part}"] = np.arange(count) % 3
        np.savez(tmp_path / "own.npz", **arrays)
        return str(tmp_path / "own.npz")

    return write


def opened(tmp_path: Path, dataset: str = "mnist5k", **changes: object) -> Evaluator:
    return open_evaluator(**{"dataset": dataset, "cache": tmp_path / "cache", "device": "cpu"} | changes)


def test_digits_get_their_usual_network_radius_and_an_honest_threat(tmp_path):
    evaluator = opened(tmp_path)
    protocol = evaluator.protocol
    assert (protocol.network, protocol.epsilon, protocol.threat, protocol.seed) == ("mnistconv", 0.2, "raw", 0)
    assert (protocol.dataset, protocol.checksum) == ("mnist5k", evaluator.data.checksum)
    assert protocol.autocast == "float32"
    assert evaluator.budget == Budget()
    assert evaluator.pool.store.root == tmp_path / "cache"


@pytest.mark.parametrize(
    ("shape", "network", "epsilon"),
    [
        ((28, 28), "mnistconv", 0.2),
        ((12, 9), "resnet20", 0.2),
        ((32, 32, 3), "resnet20", 8 / 255),
        ((28, 28, 3), "resnet20", 8 / 255),
    ],
)
def test_own_images_get_what_suits_their_shape(shape, network, epsilon, own_images, tmp_path):
    protocol = opened(tmp_path, own_images(*shape)).protocol
    assert (protocol.network, protocol.epsilon) == (network, epsilon)


def test_what_is_named_is_kept(tmp_path):
    budget = Budget(epochs=9)
    evaluator = opened(tmp_path, network="fcn2", epsilon=0.0, threat="discretised", seed=5, budget=budget)
    protocol = evaluator.protocol
    assert (protocol.network, protocol.epsilon, protocol.threat, protocol.seed) == ("fcn2", 0.0, "discretised", 5)
    assert evaluator.budget is budget


def test_the_seed_decides_the_splits(tmp_path):
    one, same, other = (opened(tmp_path, seed=seed).data for seed in (0, 0, 1))
    assert torch.equal(one.validation.images, same.validation.images)
    assert not torch.equal(one.validation.images, other.validation.images)
    assert one.checksum == other.checksum


def test_the_cache_is_the_users_where_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("BITFRONT_CACHE", str(tmp_path / "users"))
    assert open_evaluator(dataset="mnist5k", device="cpu").pool.store.root == tmp_path / "users"


REFUSED = {
    "network": (
        {"network": "resnet2"},
        f"unknown network: got 'resnet2'; expected one of {', '.join(sorted(NETWORKS))}; "
        "hint: did you mean 'resnet20'?",
    ),
    "epsilon": (
        {"epsilon": 8.0},
        "epsilon out of range: got 8.0; expected 0 to 1; hint: pixels are in [0, 1]: write 8/255 for 8 grey levels",
    ),
    "threat": ({"threat": "rew"}, "unknown threat model: got 'rew'; expected one of discretised, raw"),
    "seed": ({"seed": -1}, "seed out of range: got -1; expected 0 to 2147483647, a whole number"),
    "device": ({"device": "gpu"}, "unknown device: got 'gpu'; expected auto, cpu, cuda or cuda:N"),
    "dataset": ({"dataset": "mnist5"}, "unknown data set: got 'mnist5'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_said_in_one_line_and_leaves_no_cache(what, tmp_path):
    wrong, text = REFUSED[what]
    with pytest.raises(UserError) as raised:
        opened(tmp_path, **wrong)
    assert str(raised.value).startswith(text)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "cache").exists()


def test_a_network_that_does_not_fit_the_images_is_refused(own_images, tmp_path):
    with pytest.raises(UserError, match="the network mnistconv does not fit the images: got '20x28 pixels'"):
        opened(tmp_path, own_images(20, 28), network="mnistconv")
    with pytest.raises(UserError, match="the network resnet20 does not fit the images: got '5x5 pixels'"):
        opened(tmp_path, own_images(5, 5))


def test_names_are_checked_before_the_data_is_read(tmp_path):
    for wrong in ({"network": "resnet2"}, {"device": "gpu"}):
        with pytest.raises(UserError, match=r"unknown (network|device)"):
            opened(tmp_path, str(tmp_path / "not there.npz"), **wrong)


@pytest.mark.parametrize(
    ("count", "hint"), [(0, "folder:PATH@SIZE"), (1, "folder:PATH@SIZE, or --device cpu")], ids=["cpu", "cuda"]
)
def test_images_that_the_device_has_no_memory_for_are_said_in_one_line(count, hint, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 200.00 GiB.")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(opening, "load", full)
    device = "cuda" if count else "cpu"
    with pytest.raises(UserError, match=f"images too large for the memory: got 'mnist5k'; .* {device}; .*{hint}$"):
        opened(tmp_path, device=device)


def test_a_fault_while_images_are_read_is_not_taken_for_too_little_memory(tmp_path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(opening, "load", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        opened(tmp_path)


def test_devices_by_name(monkeypatch):
    assert find_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert find_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device("auto") == find_device("cuda") == torch.device("cuda")
    assert find_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize(("count", "name"), [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2"), (2, "cuda:10")])
def test_devices_that_are_not_there(count, name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(UserError, match=f"no such device: got '{name}'; expected cpu, or one of the {count} CUDA"):
        find_device(name)


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda1", "cpu:0", "CPU", "mps", "cuda:²"])
def test_devices_that_nothing_is_called(name):
    with pytest.raises(UserError, match=r"unknown device: got .*; expected auto, cpu, cuda or cuda:N"):
        find_device(name)


def test_processors_train_in_float32_and_graphics_cards_in_bfloat16_if_they_can(monkeypatch):
    assert faster_dtype(torch.device("cpu")) == "float32"
    for can, dtype in ((True, "bfloat16"), (False, "float32")):  # those that cannot emulate it, slowly

        def supported(including_emulation: bool = True, can: bool = can) -> bool:
            return can or including_emulation

        monkeypatch.setattr(opening.torch.cuda, "is_bf16_supported", supported)
        assert faster_dtype(torch.device("cuda:0")) == dtype


def test_float32_is_not_rounded_to_fewer_bits(tmp_path):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    opened(tmp_path)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.gpu
def test_convolutions_of_a_gpu_are_as_exact_as_float32(tmp_path):
    opened(tmp_path)
    draws = stream(0, "convolution", device="cuda")
    shapes = ((8, 64, 32, 32), (64, 64, 3, 3))
    images, weight = (torch.randn(shape, generator=draws, device="cuda") for shape in shapes)
    exact = torch.nn.functional.conv2d(images.double(), weight.double(), padding=1)
    off = torch.nn.functional.conv2d(images, weight, padding=1) - exact
    assert off.abs().max() < 1e-5 * exact.abs().max()
