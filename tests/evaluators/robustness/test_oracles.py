"""Our attacks against those of other libraries, image by image: what an oracle breaks, ours must break as well."""

import sys
import warnings
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType

import pytest
import torch
from torch import Tensor

from evaluators import Budget, Evaluator, open_evaluator
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.carlini import CarliniWagner
from evaluators.data.batches import to_float
from evaluators.data.dataset import Split
from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.verification.autoattack import External
from evaluators.robustness.verification.score import Score
from evaluators.robustness.worst_case import WorstCase
from evaluators.seeds import stream
from space import Candidate

EPSILON, STEPS, IMAGES = 0.04, 20, 200
SPECS = ("fp", "bnn", "mbn3x1", "in2:fp")
FEW = 0.01
"""Share of the images that may fall to an oracle alone."""


@pytest.fixture(scope="module")
def foolbox() -> ModuleType:
    """Foolbox, of the extra `oracles`; importing it warns of SciPy's old names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import foolbox
    return foolbox


@pytest.fixture
def adv_lib(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """adv-lib, installed without what it draws with: an empty module stands for visdom, which no attack uses."""
    visdom = ModuleType("visdom")
    visdom.Visdom = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "visdom", visdom)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("adv_lib.attacks", reason="make test installs it")


@cache
def evaluator() -> Evaluator:
    return open_evaluator(
        dataset="mnist5k",
        network="mnistconv",
        epsilon=EPSILON,
        budget=Budget(epochs=2, train_images=2000),
        device="cpu",
        cache=Path(mkdtemp(prefix="members")),
    )


@cache
def model(spec: str) -> Ensemble:
    return evaluator().ensemble(Candidate.parse(f"{spec}:x0.125"))


def split(count: int = IMAGES) -> Split:
    return evaluator().data.test.head(count)


@cache
def ours(spec: str) -> Tensor:
    """What stands under the worst case at this effort."""
    effort = Effort(steps=STEPS, restarts=2, queries=50, sample=16, probed=8)
    attack = WorstCase(epsilon=EPSILON, effort=effort, seed=0, twins=(model("fp"),))
    return attack(model(spec), split()).standing


def alone(spec: str, broken: Tensor) -> float:
    """The share of the images that fell to the oracle and not to us."""
    return float((broken & ours(spec)).float().mean())


@pytest.mark.parametrize("spec", SPECS)
def test_little_falls_to_auto_pgd_alone(spec: str) -> None:
    images, labels = to_float(split().images), split().labels
    attack, threat = External(method="apgd-ce", steps=STEPS), ThreatModel(epsilon=EPSILON)
    outcome = attack(model(spec), images, labels, threat, stream(0, "oracle"))
    clean = model(spec)(images) == labels
    assert int((outcome.broken & clean).sum()) > IMAGES / 10  # else there is nothing to compare
    assert alone(spec, outcome.broken) <= FEW


@pytest.mark.parametrize("spec", SPECS)
def test_little_falls_to_foolbox_pgd_alone(spec: str, foolbox: ModuleType) -> None:
    images, labels = to_float(split().images), split().labels
    victim = foolbox.PyTorchModel(Score(model(spec)).eval(), bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(rel_stepsize=0.1, steps=STEPS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _, moved, _ = attack(victim, images, labels, epsilons=EPSILON)
    assert (moved - images).abs().max() <= EPSILON + 1e-6
    broken = model(spec)(moved) != labels
    assert broken.float().mean() > 0.1
    assert alone(spec, broken) <= FEW


@pytest.mark.parametrize("spec", SPECS)
def test_little_falls_to_the_pgd_of_adv_lib_alone(spec: str, adv_lib: ModuleType) -> None:
    images, labels = to_float(split().images), split().labels
    with torch.random.fork_rng():
        torch.manual_seed(0)
        moved = adv_lib.pgd_linf(Score(model(spec)).eval(), images, labels, EPSILON, steps=STEPS, restarts=2)
    assert (moved - images).abs().max() <= EPSILON + 1e-6
    broken = model(spec)(moved) != labels
    assert broken.float().mean() > 0.1
    assert alone(spec, broken) <= FEW


@pytest.mark.parametrize("spec", ["fp", "bnn", "mbn3x1"])
def test_carlini_wagner_is_that_of_foolbox(spec: str, foolbox: ModuleType) -> None:
    """Foolbox returns a black image where it found no adversary, and counts it as one if its class is another."""
    images, labels = to_float(split(48).images), split(48).labels
    right = model(spec)(images) == labels
    attack = CarliniWagner(steps=50, search_steps=3, constant=1.0, rate=0.1)
    outcome = attack(model(spec), images, labels, ThreatModel(epsilon=0.0), stream(0, "unused"))
    theirs = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=3, steps=50, stepsize=0.1, initial_const=1.0, abort_early=False
    )
    _, moved, _ = theirs(foolbox.PyTorchModel(Score(model(spec)).eval(), bounds=(0, 1)), images, labels, epsilons=None)
    found = right & (moved != 0).flatten(1).any(1) & (model(spec)(moved) != labels)
    assert found.float().mean() > 0.3
    assert (found & ~outcome.broken).float().mean() <= FEW
    distances = (moved - images).flatten(1).norm(dim=1)
    assert (outcome.distances[found] <= 1.05 * distances[found]).float().mean() > 0.9
