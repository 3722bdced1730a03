"""Pruned networks against masks and channels worked out by hand."""

from copy import deepcopy

import pytest
import torch

from evaluators.cost.report import cost_report
from evaluators.networks.build import build, pruned_widths
from evaluators.networks.plan import Plan
from evaluators.networks.pruning import joints, narrow
from evaluators.networks.trace import trace
from evaluators.quantizers.pruned import PrunedWeight, largest
from evaluators.seeds import stream
from evaluators.training.inheritance import inherit
from space import Candidate, Precision, UserError

COLOUR = Plan(shape=(3, 32, 32), classes=10)
NETWORKS = {
    "resnet20": COLOUR,
    "cifarconv": COLOUR,
    "alexnet": COLOUR,
    "mnistconv": Plan(shape=(1, 28, 28), classes=10),
}


def full(name: str, plan: Plan):
    network = build(name, Precision.parse("fp"), plan)
    network.reset(stream(0, name))
    return network.eval()


def test_the_largest_values_are_kept_and_of_equal_ones_the_first():
    magnitude = torch.tensor([2.0, 5.0, 2.0, 1.0, 2.0])
    assert largest(magnitude, 3).tolist() == [True, True, True, False, False]
    assert largest(magnitude, 1).tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("percent", [1, 33, 50, 99])
def test_the_smallest_weights_are_zero_and_stay_so(percent):
    weight = torch.randn(7, 5, 3, 3, generator=stream(0, "weight"))
    quantizer = PrunedWeight((7, 5, 3, 3), percent)
    quantizer.load_float(weight)
    effective, count = quantizer(), weight.numel() - round(weight.numel() * percent / 100)
    smallest_kept = weight.abs().flatten().sort(descending=True).values[count - 1]
    assert torch.equal(effective, torch.where(weight.abs() >= smallest_kept, weight, 0.0))
    effective.square().sum().backward()
    assert torch.equal(quantizer.latent.grad[0] != 0, effective != 0)


def test_a_weight_is_left_however_few_there_are():
    quantizer = PrunedWeight((1, 1), 99)
    quantizer.load_float(torch.ones(1, 1))
    assert quantizer.kept == 1
    assert quantizer().item() == 1


@pytest.mark.parametrize(("name", "plan"), NETWORKS.items())
@pytest.mark.parametrize("percent", [10, 50, 75])
def test_the_costs_of_pruning_are_those_of_the_network_that_is_left(name, plan, percent):
    weights, channels, whole = (
        trace(name, Precision.parse(token), plan) for token in (f"fp~w{percent}", f"fp~c{percent}", "fp")
    )
    total, left = sum(layer.macs for layer in whole), 1 - percent / 100
    assert sum(layer.macs for layer in weights) == pytest.approx(left * total, rel=1e-2)
    assert sum(layer.macs for layer in channels) <= left * total
    built = build(name, Precision.parse(f"fp~c{percent}"), plan)
    assert [layer.weights for layer in channels] == [layer.weight.shape.numel() for _, layer in built.layers()]
    masked = build(name, Precision.parse(f"fp~w{percent}"), plan)
    inherit(masked, full(name, plan))
    assert [layer.weights for layer in weights] == [int((one.weight() != 0).sum()) for _, one in masked.layers()]


@pytest.mark.parametrize(("name", "plan"), NETWORKS.items())
def test_not_much_more_is_pruned_than_was_asked(name, plan):
    total = sum(layer.macs for layer in trace(name, Precision.parse("fp"), plan))
    left = sum(layer.macs for layer in trace(name, Precision.parse("fp~c50"), plan))
    assert left > 0.49 * total


def test_resnets_lose_channels_inside_their_blocks_only():
    network = build("resnet20", Precision.parse("fp~c50"), COLOUR)
    assert pruned_widths("resnet20", 50, COLOUR) == tuple(joint.width for joint in joints(network.body))
    for _, layer in list(network.layers())[2::2]:
        assert layer.weight.shape[0] in (16, 32, 64) or layer.weight.shape[0] == 10


@pytest.mark.parametrize(("name", "plan"), NETWORKS.items())
def test_removing_channels_that_say_nothing_changes_nothing(name, plan):
    """A channel whose filter and norm are zero is silent: without it, logits are the same."""
    network, images = full(name, plan), torch.rand(3, *plan.shape, generator=stream(0, "images"))
    silent = deepcopy(network)
    for joint in joints(silent.body):
        joint.producer.weight.latent.data[:, 1::2] = 0
        for norm in joint.norms:
            norm.bias.data[1::2] = 0
            norm.running_mean[1::2] = 0
    narrowed = deepcopy(silent)
    for joint in joints(narrowed.body):
        narrow(joint, torch.arange(0, joint.width, 2))
    with torch.no_grad():
        assert torch.allclose(narrowed(images), silent(images), atol=1e-4)
        assert not torch.allclose(network(images), silent(images), atol=1e-2)


def test_the_filters_with_the_largest_sums_are_inherited():
    plan = NETWORKS["mnistconv"]
    twin, pruned = full("mnistconv", plan), build("mnistconv", Precision.parse("fp~c50"), plan)
    inherit(pruned, twin)
    count = pruned_widths("mnistconv", 50, plan)[0]
    filters = twin.body[0].weight.float_weight()
    best = filters.abs().sum((1, 2, 3)).argsort(descending=True)[:count].sort().values
    assert torch.equal(pruned.body[0].weight.float_weight(), filters[best])
    assert len(filters) > count


def test_a_pruned_network_learns_and_keeps_its_zeros():
    plan = NETWORKS["mnistconv"]
    network = build("mnistconv", Precision.parse("fp~w50"), plan)
    inherit(network, full("mnistconv", plan))
    zeros = {name: layer.weight() == 0 for name, layer in network.layers()}
    adam = torch.optim.AdamW(network.parameters(), lr=0.01)
    images = torch.rand(16, *plan.shape, generator=stream(0, "images"))
    for _ in range(3):
        adam.zero_grad()
        network(images).square().mean().backward()
        adam.step()
    assert all(torch.equal(layer.weight() == 0, zeros[name]) for name, layer in network.layers())


def test_channels_cannot_be_pruned_for_ever():
    with pytest.raises(UserError, match="channels cannot be pruned that far: got '99 %'; expected a smaller percent"):
        cost_report(Candidate.parse("fp~c99"), "resnet20")
