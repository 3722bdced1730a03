"""Multiply-accumulates and weights of whole networks against published figures."""

import pytest

from evaluators.networks.catalogue import find_network
from evaluators.networks.plan import Plan
from evaluators.networks.trace import LayerShape, trace
from space import Precision

MACS = {
    # network: classes, M MACs
    "resnet20": (10, "40.55"),
    "resnet56": (10, "125.49"),  # usually given as 125.5 M, or 126 M with the shortcuts' additions
    "alexnet-imagenet": (1000, "714.19"),  # torchvision gives 0.714 G
    "resnet18-1x1": (1000, "1814.07"),  # torchvision gives 1.814 G
    "resnet18": (1000, "1968.21"),  # computed: 3×3 where the row above has 1×1
    "alexnet": (10, "62.74"),  # computed
    "mnistcnn": (10, "13.88"),  # computed
    "fcn1": (10, "118.12"),  # computed
    "wrn32": (10, "6630.07"),  # computed
}


def layers(name: str, token: str = "fp", classes: int = 10) -> tuple[LayerShape, ...]:
    return trace(name, Precision.parse(token), Plan(shape=find_network(name).shape, classes=classes))


@pytest.mark.parametrize(("name", "known"), MACS.items(), ids=MACS)
def test_macs_are_the_known_ones(name, known):
    classes, millions = known
    assert f"{sum(one.macs for one in layers(name, classes=classes)) / 1e6:.2f}" == millions


def test_weights_are_those_of_torchvision():
    """Its 61 100 840 parameters of AlexNet have a bias each channel; those 11 689 512 of ResNet-18 have batch norm."""
    biases = 64 + 192 + 384 + 256 + 256 + 4096 + 4096 + 1000
    norms = 2 * (64 * 5 + 128 * 5 + 256 * 5 + 512 * 5)
    assert sum(one.weights for one in layers("alexnet-imagenet", classes=1000)) == 61_100_840 - biases
    assert sum(one.weights for one in layers("resnet18-1x1", classes=1000)) == 11_689_512 - norms - 1000


@pytest.mark.parametrize(("token", "bits"), [("fp", 64), ("pact2", 4), ("xnor", 1), ("mbn3x1", 3), ("mbn5x5", 25)])
def test_shortcuts_of_resnet18_count_with_the_bits_of_their_layer(token, bits):
    """1×1: 28²·128·64 = 14²·256·128 = 7²·512·256 MACs, three times; 3×3: nine times as much."""
    ours, usual = layers("resnet18", token), layers("resnet18-1x1", token)
    extra = sum(one.macs * one.weight_bits * one.activation_bits for one in ours)
    extra -= sum(one.macs * one.weight_bits * one.activation_bits for one in usual)
    assert extra == bits * 3 * 6_422_528 * (9 - 1)
    assert [one.name for one in ours if "shortcut" in one.name] == [f"{block}.shortcut.conv" for block in (5, 7, 9)]
