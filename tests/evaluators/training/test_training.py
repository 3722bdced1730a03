"""The training loop on real digits: what it learns, what it keeps, and what it repeats."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.data import DataSet, Split
from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from evaluators.training import loop
from evaluators.training.inheritance import start_from
from evaluators.training.loop import Course, Schedule, train
from evaluators.training.recipes import RECIPES, Recipe
from space import Precision
from space.text import RECIPES as RECIPE_NAMES

TOKENS = ["fp", "pact4", "dorefa2-2", "bnn", "xnor", "mbn3x2"]
PLAIN = Recipe(teacher_share=0.0)

every_token = pytest.mark.parametrize("token", TOKENS)


def fresh(token: str, *, name: str = "fcn2", width: float = 0.125) -> Network:
    network = build(name, Precision.parse(token), Plan(shape=(1, 28, 28), classes=10, width=width))
    network.reset(stream(0, "training", "weights"))
    return network


def trained(token: str, split: Split, *, network: Network | None = None, **changes: object) -> Network:
    network = network or fresh(token)
    settings = {"recipe": PLAIN, "epochs": 2, "generator": stream(0, "training", "order")} | changes
    train(network, Precision.parse(token), Course(split=split, **settings))
    return network


def state(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def loss_of(network: Network, split: Split) -> float:
    with torch.no_grad():
        return functional.cross_entropy(network.eval()(split.images.float() / 255), split.labels).item()


@pytest.fixture(scope="module")
def digits(mnist5k: DataSet) -> Split:
    return mnist5k.train.head(500)


def test_every_recipe_of_the_space_is_written_and_no_other():
    assert set(RECIPES) == set(RECIPE_NAMES)


@every_token
def test_the_loss_falls_and_digits_are_learnt(token, digits, mnist5k):
    network = trained(token, digits, epochs=4)
    held_out = mnist5k.validation.head(300)
    before, after = loss_of(fresh(token), held_out), loss_of(network, held_out)
    assert before > 2.2
    assert after < before - 0.4
    assert loss_of(network, digits) < before - 0.4


@every_token
def test_the_same_seed_gives_the_same_bits_and_another_does_not(token, digits):
    first = state(trained(token, digits))
    torch.manual_seed(12345)  # no step may draw from the process's own generator
    assert same(state(trained(token, digits)), first)
    assert not same(state(trained(token, digits, generator=stream(1, "training", "order"))), first)


@every_token
def test_a_trained_network_is_in_eval_mode(token, digits):
    network = trained(token, digits.head(64), epochs=1)
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize(("token", "clipped"), [("bnn", True), ("xnor", False), ("fp", False), ("dorefa2-2", False)])
def test_only_binarynet_keeps_its_latent_weights_within_1(token, clipped, digits):
    network = fresh(token)
    for _, layer in network.layers():
        layer.weight.latent.data.mul_(40)
    trained(token, digits.head(130), network=network, epochs=1)
    inner = [layer.weight.latent for _, layer in list(network.layers())[1:-1]]
    assert all((latent.abs().max() <= 1) == clipped for latent in inner)
    assert not clipped or all((latent.abs() == 1).any() for latent in inner)
    ends = [layer.weight.latent for _, layer in list(network.layers())[:1]]
    assert all(latent.abs().max() > 1 for latent in ends)  # real layers of a binary network are not clipped


@every_token
def test_nothing_is_decayed_but_real_and_fixed_point_latent_weights(token):
    network, precision = fresh(token), Precision.parse(token)
    optimizer = loop.optimizer_for(network, precision, Recipe(decay=0.125, rate=0.5))
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    decays: dict[str, float] = {}
    for group in optimizer.param_groups:
        assert group["lr"] == 0.5
        for parameter in group["params"]:
            assert names[id(parameter)] not in decays
            decays[names[id(parameter)]] = group["weight_decay"]
    assert decays.keys() == set(names.values())
    for name, decay in decays.items():
        assert decay == (0.125 if name.endswith("latent") and not precision.binary else 0), name
    assert isinstance(optimizer, torch.optim.AdamW)  # whose decay is decoupled from the gradient


def test_decay_shrinks_what_it_should(digits):
    heavy = Recipe(decay=1.0, teacher_share=0.0)
    none = Recipe(decay=0.0, teacher_share=0.0)

    def norm(token: str, recipe: Recipe) -> float:
        network = trained(token, digits, recipe=recipe)
        return sum(layer.weight.latent.norm().item() for _, layer in network.layers())

    assert norm("dorefa4-4", heavy) < norm("dorefa4-4", none)
    assert norm("mbn2x2", heavy) == norm("mbn2x2", none)


class Recorded(torch.optim.AdamW):
    """Notes the rate of every step."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.rates: list[float] = []

    def step(self, *args: object) -> None:
        self.rates.append(self.param_groups[0]["lr"])
        super().step(*args)


def closed_form(step: int, steps: int, warmup: float) -> float:
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    return (1 + math.cos(math.pi * (step - rise + 1) / (steps - rise + 1))) / 2


@pytest.mark.parametrize(("images", "batch", "epochs"), [(130, 64, 4), (128, 32, 3), (65, 64, 2), (40, 64, 1)])
def test_the_rate_rises_and_falls_over_all_steps(images, batch, epochs, digits, monkeypatch):
    made: list[Recorded] = []

    def recording(network: Network, precision: Precision, recipe: Recipe) -> Recorded:
        made.append(Recorded(network.parameters(), lr=recipe.rate))
        return made[0]

    monkeypatch.setattr(loop, "optimizer_for", recording)
    recipe = Recipe(batch=batch, rate=0.01, warmup=0.25, teacher_share=0.0)
    trained("fp", digits.head(images), recipe=recipe, epochs=epochs)
    planned = epochs * math.ceil(images / batch)
    expected = [0.01 * closed_form(step, planned, 0.25) for step in range(planned)]
    taken = planned - epochs * (images % batch == 1)  # a single image left over joins the batch before it
    assert made[0].rates == pytest.approx(expected[:taken])


@pytest.mark.parametrize("token", ["fp", "dorefa2-2", "mbn2x2"])
def test_a_training_is_the_plain_loop(token, digits):
    recipe, split, network = Recipe(batch=64, augment=False, teacher_share=0.0), digits.head(200), fresh(token).train()
    optimizer = loop.optimizer_for(network, Precision.parse(token), recipe)
    generator = stream(0, "training", "order")
    for step in range(8):
        if step % 4 == 0:
            order = torch.randperm(200, generator=generator)
        batch = order[64 * (step % 4) : 64 * (step % 4) + 64]
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * closed_form(step, 8, recipe.warmup)
        network.zero_grad()
        functional.cross_entropy(network(split.images[batch].float() / 255), split.labels[batch]).backward()
        optimizer.step()
    ours = trained(token, split, recipe=recipe)
    for name, value in ours.state_dict().items():
        assert torch.allclose(value.double(), network.state_dict()[name].double(), atol=1e-5), name


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 157])
@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.5, 1.0])
def test_the_schedule_is_its_closed_form(steps, warmup):
    schedule = Schedule(steps=steps, warmup=warmup)
    factors = [schedule.factor(step) for step in range(steps)]
    assert factors == pytest.approx([closed_form(step, steps, warmup) for step in range(steps)])
    assert max(factors) == 1
    assert min(factors) > 0
    peak = factors.index(1)
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert schedule.factor(steps) == pytest.approx(0)


def test_rises_are_linear():
    assert [Schedule(steps=20, warmup=0.2).factor(step) for step in range(5)][:4] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(("images", "what"), [(300, "the training loss"), (64, "a trained weight")])
@pytest.mark.parametrize("boundary_share", [0.0, 0.5])
def test_a_training_that_diverges_says_so_even_on_its_last_step(images, what, boundary_share, digits):
    wild = replace(PLAIN, rate=1e38, decay=0.0, boundary_share=boundary_share)
    with pytest.raises(FloatingPointError, match=f"{what} is no longer finite"):
        trained("fp", digits.head(images), recipe=wild, epochs=1)


def test_a_single_image_cannot_be_trained_on(digits):
    with pytest.raises(Exception, match="too few training images: got 1; expected at least 2"):
        trained("fp", digits.head(1))


def test_augmentation_is_the_recipes_choice(digits):
    with_it = state(trained("fp", digits, recipe=replace(PLAIN, augment=True)))
    without = state(trained("fp", digits, recipe=replace(PLAIN, augment=False)))
    assert not same(with_it, without)


@pytest.mark.gpu
def test_bfloat16_convolutions_learn_too_and_weights_stay_float32(digits):
    split = Split(digits.images.cuda(), digits.labels.cuda())
    course = Course(
        split=split, recipe=PLAIN, epochs=4, generator=stream(0, "order", device="cuda"), autocast=torch.bfloat16
    )
    seen: list[torch.dtype] = []
    network = fresh("mbn2x2", name="mnistconv").cuda()
    network.body[2].register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    train(network, Precision.parse("mbn2x2"), course)
    assert set(seen) == {torch.bfloat16}
    assert loss_of(network, split) < 2
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_the_divergence_is_hintons(temperature):
    ours, theirs = (torch.randn(6, 4, generator=stream(0, name)) * 3 for name in "ab")
    p, q = (softmax(z.double().numpy() / temperature) for z in (theirs, ours))
    expected = temperature**2 * (p * np.log(p / q)).sum(1).mean()
    assert loop._divergence(ours, theirs, temperature).item() == pytest.approx(expected, rel=1e-5)
    assert loop._divergence(ours, ours, temperature).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("share", "follows"), [(1.0, "twin"), (0.0, "labels")])
def test_the_twins_share_decides_whom_a_network_follows(share, follows, digits):
    twin = trained("fp", digits, epochs=4)
    before = state(twin)
    shifted = Split(digits.images, (digits.labels + 1) % 10)  # what the labels teach is never what the twin says
    network = trained("dorefa4-4", shifted, recipe=Recipe(teacher_share=share, temperature=2.0), teacher=twin, epochs=6)
    with torch.no_grad():
        images = digits.images.float() / 255
        said, taught = network(images).argmax(1), {"twin": twin(images).argmax(1), "labels": shifted.labels}
    agreement = {name: (said == target).float().mean().item() for name, target in taught.items()}
    assert agreement[follows] > 0.5
    assert agreement["labels" if follows == "twin" else "twin"] < 0.2
    assert same(state(twin), before)
    assert not any(module.training for module in twin.modules())


@pytest.mark.parametrize("name", ["fcn2", "mnistconv"])
@pytest.mark.parametrize("token", ["pact3", "dorefa2-2", "bnn", "xnor", "mbn3x2"])
def test_a_warm_start_copies_weights_biases_and_batch_norm(name, token, digits):
    twin = trained("fp", digits.head(128), network=fresh("fp", name=name), epochs=1)
    network = fresh(token, name=name)
    fresh_state = state(network)
    start_from(network, twin)
    for (_, layer), (_, source) in zip(network.layers(), twin.layers(), strict=True):
        assert torch.equal(layer.weight.float_weight(), source.weight())
        assert layer.bias is None or torch.equal(layer.bias, source.bias)
    theirs = twin.state_dict()
    for key, value in network.state_dict().items():
        if key.rpartition(".")[2] in ("running_mean", "running_var", "num_batches_tracked", "weight", "bias"):
            assert torch.equal(value, theirs[key]), key
        elif key.endswith(("clip", "activation.shift", "activation.scale")):
            assert torch.equal(value, fresh_state[key]), key
    assert sum(key.endswith("running_mean") for key in theirs) == (4 if name == "fcn2" else 3)


def test_a_warm_start_shares_no_memory_with_its_twin(digits):
    twin = trained("fp", digits.head(128), epochs=1)
    network, before = fresh("fp"), state(twin)
    start_from(network, twin)
    trained("fp", digits.head(128), network=network, epochs=1)
    assert same(state(twin), before)


@pytest.mark.parametrize("token", ["pact4", "dorefa4-4"])
def test_a_warm_start_is_worth_it(token, digits):
    twin = trained("fp", digits, epochs=4)
    network = fresh(token)
    start_from(network, twin)
    warm = trained(token, digits, network=network, epochs=1)
    assert loss_of(warm, digits) < 0.7 * loss_of(trained(token, digits, epochs=1), digits)
