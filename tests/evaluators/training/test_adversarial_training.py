"""Training on attacked images: what is crafted, what a network learns from it, and when a guard stops it."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from evaluators.base import Budget, Protocol
from evaluators.cache import Store
from evaluators.data import DataSet, Split
from evaluators.data.batches import to_float
from evaluators.evaluator import Evaluator
from evaluators.members import MemberPool
from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from evaluators.training import loop
from evaluators.training.adversarial import COLLAPSE, PGD5, Crafting, Guard, craft
from evaluators.training.loop import Course, train
from evaluators.training.recipes import RECIPES
from space import Candidate, Precision

TOKENS = ["fp", "pact2", "dorefa2-4", "bnn", "xnor", "mbn3x2"]
ATTACKED = [name for name, recipe in RECIPES.items() if recipe.crafting]
EPSILON = 0.1


def fresh(token: str) -> Network:
    network = build("fcn2", Precision.parse(token), Plan(shape=(1, 28, 28), classes=10, width=0.25))
    network.reset(stream(0, "adversarial", "weights"))
    return network


def course(split: Split, recipe: str, **changes: object) -> Course:
    given = {"split": split, "recipe": RECIPES[recipe], "epochs": 1, "generator": stream(0, "order")}
    return Course(**(given | {"epsilon": EPSILON} | changes))


def accuracy(network: Network, split: Split, epsilon: float) -> float:
    images = craft(network, to_float(split.images), split.labels, PGD5, epsilon, stream(0, "test"))
    with torch.no_grad():
        return (network(images).argmax(1) == split.labels).float().mean().item()


@pytest.fixture(scope="module")
def digits(mnist5k: DataSet) -> Split:
    return mnist5k.train.head(1500)


craftings = st.builds(
    Crafting,
    start=st.sampled_from(["clean", "uniform", "normal"]),
    start_size=st.sampled_from([0.5, 1.0]),
    steps=st.integers(0, 3),
    step_size=st.sampled_from([0.25, 0.5, 1.0, 1.25]),
)


@given(craftings, st.sampled_from([0.0, 8 / 255, 0.3]))
def test_crafted_images_stay_in_the_ball_and_in_the_pixel_range(crafting, epsilon):
    images = torch.rand((6, 1, 28, 28), generator=stream(0, "images")).round(decimals=1)
    attacked = craft(fresh("mbn1x2").eval(), images, torch.arange(6), crafting, epsilon, stream(0, "noise"))
    assert attacked.min() >= 0 and attacked.max() <= 1
    assert (attacked - images).abs().max() <= epsilon + 1e-6
    assert not attacked.requires_grad


def test_one_step_from_the_image_is_the_sign_of_its_gradient():
    line = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    images, labels = torch.full((1, 1, 2, 2), 0.5), torch.tensor([1])
    attacked = craft(line, images, labels, Crafting(), 0.1, stream(0, "none"))
    rises = (line[1].weight[0] - line[1].weight[1]).sign().view(1, 1, 2, 2)
    assert torch.allclose(attacked, images + 0.1 * rises)
    assert all(parameter.grad is None for parameter in line.parameters())


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("recipe", [*ATTACKED, "gradreg"])
def test_every_recipe_trains_every_precision(recipe, token, digits):
    network = fresh(token)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    train(network, Precision.parse(token), course(digits.head(150), recipe))
    latents = [name for name in before if name.endswith("latent")]
    assert all(not torch.equal(before[name], value) for name, value in network.state_dict().items() if name in latents)
    assert all(value.isfinite().all() for value in network.state_dict().values())
    assert not network.training


@pytest.mark.parametrize("recipe", ["rfgsm", "fastat", "pgd"])
def test_what_was_trained_under_attack_withstands_it_better(recipe, digits, mnist5k):
    test = mnist5k.validation.head(300)
    plain, defended = fresh("fp"), fresh("fp")
    train(plain, Precision.parse("fp"), course(digits, "standard", epochs=8))
    train(defended, Precision.parse("fp"), course(digits, recipe, epochs=8))
    assert accuracy(defended, test, EPSILON) > accuracy(plain, test, EPSILON) + 0.1


def gradient_norm(network: Network, split: Split) -> float:
    images = to_float(split.images).requires_grad_()
    loss = functional.cross_entropy(network(images), split.labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, images)
    return gradient.flatten(1).square().sum(1).mean().item()


@pytest.mark.parametrize("token", ["fp", "mbn3x2"])
def test_a_penalised_gradient_is_smaller(token, digits):
    norms = {}
    for recipe in ("standard", "gradreg"):
        network = fresh(token)
        train(network, Precision.parse(token), course(digits, recipe, epochs=3))
        norms[recipe] = gradient_norm(network, digits.head(200))
    assert norms["gradreg"] < 0.5 * norms["standard"]


@pytest.mark.parametrize("token", TOKENS)
def test_the_penalty_has_the_gradient_of_its_formula_in_the_last_weights(token):
    """‖dL/dx‖² at two classifier weights apart: central differences of the penalty against its own gradient."""
    network = fresh(token).double().eval()
    images = torch.rand((8, 1, 28, 28), generator=stream(0, "images"), dtype=torch.float64).requires_grad_()
    labels = torch.arange(8)
    weight = list(network.layers())[-1][1].weight.latent

    def penalty() -> Tensor:
        return loop._gradient_norm(network(images), images, labels)

    (gradient,) = torch.autograd.grad(penalty(), weight)
    place, step = (0, 3, 5), 1e-5
    with torch.no_grad():
        weight[place] += step
        above = penalty_value(penalty)
        weight[place] -= 2 * step
        below = penalty_value(penalty)
    assert gradient[place].item() == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-9)


def penalty_value(penalty) -> float:
    with torch.enable_grad():
        return penalty().item()


class Scripted(nn.Module):
    """Is right on the first `right` images, whatever they show."""

    def __init__(self, labels: Tensor) -> None:
        super().__init__()
        self.right = nn.Parameter(torch.tensor(0.0))
        self.labels = labels

    def forward(self, images: Tensor) -> Tensor:
        logits = functional.one_hot(self.labels, 10).float()
        logits[int(self.right) :] *= -1
        return logits + 0 * images.flatten(1).sum(1, keepdim=True)


def test_a_guard_restores_the_last_sound_epoch():
    labels = torch.arange(100) % 10
    network = Scripted(labels)
    guard = Guard(torch.rand(100, 1, 4, 4), labels, EPSILON, stream(0, "guard"))
    for right, ends in ((40, False), (60, False), (60 - 100 * COLLAPSE + 1, False), (30, True)):
        network.right.data.fill_(right)
        assert guard.collapsed(network) == ends
    assert network.right.item() == 60 - 100 * COLLAPSE + 1
    assert network.training


def test_a_guarded_training_keeps_its_held_images_to_itself_and_stops(digits, monkeypatch):
    lengths, seen = [], []
    real = loop.batches
    monkeypatch.setattr(loop, "batches", lambda split, *a, **k: lengths.append(len(split)) or real(split, *a, **k))
    monkeypatch.setattr(
        loop.Guard, "collapsed", lambda guard, network: seen.append(len(guard.labels)) or len(seen) == 2
    )
    train(fresh("fp"), Precision.parse("fp"), course(digits.head(300), "fastat", epochs=5))
    assert lengths == [269, 269]
    assert seen == [31, 31]


def test_clean_recipes_do_not_depend_on_epsilon(digits):
    states = []
    for epsilon in (0.1, 0.3):
        network = fresh("fp")
        train(network, Precision.parse("fp"), replace(course(digits.head(200), "standard"), epsilon=epsilon))
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_only_attacked_training_depends_on_the_protocols_epsilon(mnist5k, tmp_path):
    keys = {}
    for epsilon in (0.1, 0.3):
        protocol = Protocol(dataset="mnist5k", checksum=mnist5k.checksum, network="fcn2", epsilon=epsilon)
        pool = MemberPool(Store(tmp_path), mnist5k)
        evaluator = Evaluator(protocol, Budget(epochs=1, train_images=200, images=20, steps=1), pool)
        for recipe in ("standard", "gradreg", "fgsm", "fastat"):
            before = pool.trained
            dict(evaluator.measure(Candidate.parse(f"fp:{recipe}:x0.125"), ["acc"]))
            keys[recipe, epsilon] = pool.trained - before
    trained_again = {recipe for recipe, epsilon in keys if epsilon == 0.3 and keys[recipe, epsilon]}
    assert trained_again == {"fgsm", "fastat"}
