"""A batch that does not fit: halved where images are evaluated or attacked, refused before it is trained on."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from evaluators.attacks.base import ThreatModel, judged
from evaluators.attacks.carlini import CarliniWagner
from evaluators.attacks.catalogue import build as build_attack
from evaluators.attacks.judging import Pass
from evaluators.attacks.losses import plain
from evaluators.attacks.spec import AttackSpec
from evaluators.data import Split, memory
from evaluators.ensemble import Ensemble
from evaluators.fitting import fitting, ran_out_of_memory
from evaluators.networks.build import build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.networks.trace import trace
from evaluators.seeds import stream
from evaluators.training import footprint
from evaluators.training.footprint import WITHIN, check_fits_memory, free_bytes, training_bytes
from evaluators.votes import MeanVote
from space import Precision

RUN = Path(__file__).with_name("footprint_run.py")


class Narrow(nn.Module):
    """A network on a machine that can hold so many images."""

    def __init__(self, network: nn.Module, room: int, error: Exception) -> None:
        super().__init__()
        self.network, self.room, self.error = network, room, error
        self.passes: list[int] = []

    def forward(self, images):
        if len(images) > self.room:
            raise self.error
        self.passes.append(len(images))
        return self.network(images)


ERRORS = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


def network(token: str = "mbn2x2") -> nn.Module:
    made = build("fcn2", Precision.parse(token), Plan(shape=(1, 28, 28), classes=10, width=0.0625))
    made.reset(stream(0, "fitting"))
    return made.eval()


def images(count: int):
    return torch.rand(count, 1, 28, 28, generator=stream(1, "fitting"))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_halves_give_what_the_whole_would(error):
    whole, narrow = network(), Narrow(network(), 3, error)
    x = images(13)
    with torch.no_grad():
        assert torch.allclose(fitting(narrow, x), whole(x), rtol=1e-5, atol=1e-6)
    assert sum(narrow.passes) == 13
    assert max(narrow.passes) <= 3


def test_gradients_of_halves_are_those_of_the_whole_and_no_two_are_held_at_once():
    whole, narrow = network("fp"), Narrow(network("fp"), 4, MemoryError())
    x, same = images(11).requires_grad_(), images(11).requires_grad_()
    weights = torch.randn(11, 10, generator=stream(2, "fitting"))
    (expected,) = torch.autograd.grad((whole(same) * weights).sum(), same)
    out = fitting(narrow, x)
    before = len(narrow.passes)
    (gradient,) = torch.autograd.grad((out * weights).sum(), x)
    assert torch.allclose(gradient, expected, rtol=1e-5, atol=1e-7)
    assert len(narrow.passes) > before  # computed again, half by half


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
def test_an_attack_that_does_not_fit_breaks_the_same_images(name):
    split = Split((255 * images(40)).to(torch.uint8), torch.randint(10, (40,), generator=stream(3, "fitting")))
    spec = AttackSpec(name=name, epsilon=0.1, steps=3)
    standing = []
    for room in (40, 7):
        model = Ensemble([Narrow(network("fp"), room, MemoryError())], MeanVote())
        standing.append(Pass(attack=build_attack(spec), specs=[spec], seed=0).standing(model, split)[0.1])
    assert torch.equal(*standing)


class _Back(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, room):
        ctx.room = room
        return x.clone()

    @staticmethod
    def backward(ctx, *grads):
        if len(grads[0]) > ctx.room:
            raise MemoryError
        return grads[0], None


class NarrowBack(Narrow):
    """A network that can pass any number of images forward, and so many back."""

    def forward(self, images):
        return self.network(_Back.apply(images, self.room))


@pytest.mark.parametrize(("name", "epsilons"), [("fgsm", (0.01,)), ("fgsm", (0.01, 0.1)), ("pgd", (0.01,))])
def test_an_attack_whose_gradients_do_not_fit_breaks_the_same_images(name, epsilons):
    pixels = (255 * images(40)).to(torch.uint8)
    split = Split(pixels, network("fp")(pixels / 255).argmax(1))
    specs = [AttackSpec(name=name, epsilon=epsilon, steps=3) for epsilon in epsilons]
    standing = []
    for room in (40, 7):
        model = Ensemble([NarrowBack(network("fp"), room, MemoryError())], MeanVote())
        standing.append(Pass(attack=build_attack(specs[0]), specs=specs, seed=0).standing(model, split)[0.01])
    assert torch.equal(*standing)
    assert 7 < standing[0].sum() < 40


def test_a_search_whose_gradients_do_not_fit_finds_the_same_images():
    x = images(20)
    labels, found = network("fp")(x).argmax(1), []
    for room in (20, 7):
        model = Ensemble([NarrowBack(network("fp"), room, MemoryError())], MeanVote())
        attack = CarliniWagner(steps=8, search_steps=2, constant=0.01)
        found.append(attack(model, x, labels, ThreatModel(epsilon=0.0), stream(0, "unused")))
    whole, parts = found
    assert whole.broken.any()
    assert torch.equal(whole.broken, parts.broken)
    assert torch.allclose(whole.images, parts.images, atol=1e-5)


def test_a_part_that_has_fallen_has_a_gradient_of_zeros_where_another_has_one():
    model = Ensemble([NarrowBack(network("fp"), 4, MemoryError())], MeanVote())
    x = images(8)
    labels = model(x)
    labels[:4] = (labels[:4] + 1) % 10
    seen = judged(model, x, labels, plain)
    assert seen.fallen.tolist() == [True] * 4 + [False] * 4
    assert not seen.gradient[:4].any()
    assert torch.allclose(seen.gradient[4:], judged(model, x[4:], labels[4:], plain).gradient)


def test_one_image_that_does_not_fit_and_other_errors_are_raised():
    with pytest.raises(MemoryError):
        fitting(Narrow(network(), 0, MemoryError()), images(4))
    with pytest.raises(RuntimeError, match="shape"):
        fitting(Narrow(network(), 1, RuntimeError("the shape is wrong")), images(4))
    assert not ran_out_of_memory(ValueError("out of memory"))


def test_more_images_weights_and_bases_take_more_memory():
    def needed(token: str, batch: int, width: float = 1.0) -> int:
        return training_bytes(
            trace("resnet20", Precision.parse(token), Plan(shape=(3, 32, 32), classes=10, width=width)), batch
        )

    assert needed("fp", 64) < needed("fp", 65) < needed("pact2", 65) < needed("pact2", 65, 2.0)
    assert needed("mbn1x1", 64) < needed("mbn3x1", 64)
    per_image = needed("fp", 2) - needed("fp", 1)
    assert needed("fp", 64) - needed("fp", 1) == 63 * per_image


@pytest.mark.parametrize(
    ("name", "token", "batch"),
    [("resnet20", "fp", 32), ("resnet20", "mbn3x2", 32), ("mnistconv", "xnor", 128), ("alexnet", "fp", 2)],
)
def test_the_foretold_peak_is_near_the_measured_one(name, token, batch):
    done = subprocess.run(
        [sys.executable, str(RUN), name, token, str(batch)], capture_output=True, text=True, check=True
    )
    plan = Plan(shape=NETWORKS[name].shape, classes=10)
    foretold = training_bytes(trace(name, Precision.parse(token), plan), batch)
    assert foretold / WITHIN <= int(done.stdout) <= foretold * WITHIN


def test_a_training_that_cannot_fit_is_refused_in_one_clear_line(monkeypatch):
    layers, cpu = trace("resnet20", Precision.parse("fp"), Plan(shape=(3, 32, 32), classes=10)), torch.device("cpu")
    check_fits_memory(layers, 64, cpu)
    monkeypatch.setattr(footprint, "free_bytes", lambda device: 50_000_000)
    with pytest.raises(MemoryError, match=r"of 64 images takes about 0.12 GB, 0.05 GB are free on cpu"):
        check_fits_memory(layers, 64, cpu)
    monkeypatch.setattr(footprint, "free_bytes", lambda device: None)
    check_fits_memory(layers, 10**9, cpu)


def test_free_memory_is_that_of_this_machine():
    free = free_bytes(torch.device("cpu"))
    assert free is None or 10**6 < free < 10**14


def test_a_container_has_no_more_than_its_limit(monkeypatch, tmp_path):
    (tmp_path / "memory.max").write_text("50000000\n")
    monkeypatch.setattr(memory, "LIMITS", (tmp_path / "memory.max",))
    assert free_bytes(torch.device("cpu")) == 50_000_000


def test_memory_that_pytorch_keeps_of_a_gpu_is_free_to_a_training(monkeypatch):
    gpu = {"mem_get_info": (1_000, 80_000), "memory_reserved": 70_000, "memory_allocated": 4_000}
    for name, value in gpu.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert free_bytes(torch.device("cuda")) == 1_000 + 70_000 - 4_000
