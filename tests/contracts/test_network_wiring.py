"""Every topology is wired as its paper draws it: computed again by hand, layer by layer."""

import math

import pytest
import torch
import torch.nn.functional as functional
from tiny_networks import drawn, pictures, thin
from torch import Tensor, nn

from evaluators.networks.build import Network
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.resnet import Block


def normalised(norm: nn.Module, x: Tensor) -> Tensor:
    mean, variance = (value.view(1, -1, 1, 1) for value in (norm.running_mean, norm.running_var))
    weight, bias = (value.view(1, -1, 1, 1) for value in (norm.weight, norm.bias))
    return (x - mean) / (variance + norm.eps).sqrt() * weight + bias


def option_a(x: Tensor, channels: int, stride: int) -> Tensor:
    n, old, height, width = x.shape
    out = x.new_zeros(n, channels, math.ceil(height / stride), math.ceil(width / stride))
    out[:, :old] = x[:, :, ::stride, ::stride]
    return out


def stem_by_hand(network: Network, images: Tensor, norm: nn.Module) -> Tensor:
    (_, first), *_ = network.layers()
    x = 4 * images - 2
    if first.weight.shape[2] == 3:
        return normalised(norm, functional.conv2d(x, first.weight(), padding=1))
    return normalised(norm, largest(functional.conv2d(x, first.weight(), stride=2, padding=3)))


def carried_by_hand(block: nn.Module, x: Tensor, stride: int) -> Tensor:
    """Activations in; zeros for new channels, or a convolution of its own where the network has one."""
    channels = block.conv1.weight.shape[0]
    if not hasattr(block.shortcut, "conv"):
        return option_a(x, channels, stride)
    weight = block.shortcut.conv.weight()
    return normalised(block.shortcut.norm, functional.conv2d(x, weight, stride=2, padding=weight.shape[2] // 2))


def resnet_by_hand(network: Network, images: Tensor, first_of_stage: list[int]) -> Tensor:
    """As published: relu(F(x) + x) over two convolutions; a real shortcut around each if binary."""
    parts = list(network.body)
    x = stem_by_hand(network, images, next(part for part in parts if isinstance(part, nn.BatchNorm2d)))
    binary = any(parameter.endswith("shift") for parameter, _ in network.named_parameters())
    x = x if binary else x.relu()
    for number, block in enumerate(part for part in parts if isinstance(part, Block)):
        stride = 2 if number in first_of_stage else 1
        if binary:
            real = not hasattr(block.shortcut, "conv")
            carried = carried_by_hand(block, x if real else block.shortcut.conv.activation(x), stride)
            first = functional.conv2d(block.conv1.activation(x), block.conv1.weight(), stride=stride, padding=1)
            middle = carried + normalised(block.norm1, first)
            last = functional.conv2d(block.conv2.activation(middle), block.conv2.weight(), padding=1)
            x = middle + normalised(block.norm2, last)
        else:
            carried = carried_by_hand(block, x, stride)
            inner = normalised(block.norm1, functional.conv2d(x, block.conv1.weight(), stride=stride, padding=1)).relu()
            x = (carried + normalised(block.norm2, functional.conv2d(inner, block.conv2.weight(), padding=1))).relu()
    x = x.relu() if binary else x
    return x.mean((2, 3)) @ parts[-1].weight().T + parts[-1].bias


STAGES = {"resnet20": [3, 6], "resnet56": [9, 18], "wrn32": [5, 10], "resnet18": [2, 4, 6], "resnet18-1x1": [2, 4, 6]}


@pytest.mark.parametrize("token", ["fp", "mbn1x1"])
@pytest.mark.parametrize("name", STAGES)
def test_resnets_are_wired_as_published(name, token):
    network, images = drawn(name, token, width=2 * thin(name)), pictures(name, 8)
    network = network.double()
    assert torch.allclose(network(images.double()), resnet_by_hand(network, images.double(), STAGES[name]), atol=1e-6)


def windows(x: Tensor, outside: float) -> Tensor:
    """The nine pixels around every other one: N×C×9×H'×W', `outside` beyond the border."""
    n, channels, height, width = x.shape
    padded = x.new_full((n, channels, height + 2, width + 2), outside)
    padded[:, :, 1:-1, 1:-1] = x
    shifted = [padded[:, :, i : i + height : 2, j : j + width : 2] for i in range(3) for j in range(3)]
    return torch.stack(shifted, 2)


def largest(x: Tensor) -> Tensor:
    return windows(x, -float("inf")).amax(2)


def average(x: Tensor) -> Tensor:
    """Over the pixels that are there."""
    return windows(x, float("nan")).nanmean(2)


def cifarconv_by_hand(network: Network, images: Tensor) -> Tensor:
    """EMPIR's table, with batch norm between each pool and the activation of the next layer."""
    (_, conv1), (_, conv2), (_, conv3), (_, hidden), (_, classifier) = network.layers()
    norms = [part for part in network.body if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    uneven = (3, 4, 3, 4)
    x = normalised(norms[0], largest(functional.conv2d(4 * images - 2, conv1.weight(), padding=2)))
    x = functional.conv2d(functional.pad(conv2.activation(x), uneven), conv2.weight())
    x = normalised(norms[1], average(x))
    x = functional.conv2d(functional.pad(conv3.activation(x), uneven), conv3.weight())
    x = normalised(norms[2], average(x)).flatten(1)
    x = hidden.activation(x) @ hidden.weight().T
    x = normalised(norms[3], x[..., None, None])[..., 0, 0].relu()
    return x @ classifier.weight().T + classifier.bias


def mnistconv_by_hand(network: Network, images: Tensor) -> Tensor:
    (_, conv1), (_, conv2), (_, conv3), (_, classifier) = network.layers()
    norms = [part for part in network.body if isinstance(part, nn.BatchNorm2d)]
    x = functional.conv2d(functional.pad(4 * images - 2, (3, 3, 3, 3)), conv1.weight(), stride=2)
    x = functional.conv2d(conv2.activation(normalised(norms[0], x)), conv2.weight(), stride=2)
    x = functional.conv2d(conv3.activation(normalised(norms[1], x)), conv3.weight())
    return normalised(norms[2], x).relu().flatten(1) @ classifier.weight().T + classifier.bias


def mnistcnn_by_hand(network: Network, images: Tensor) -> Tensor:
    return chain(network, images, {0: 2, 1: 2})


def alexnet_by_hand(network: Network, images: Tensor) -> Tensor:
    return chain(network, images, {0: 2, 1: 2, 4: 2}, stride=2, padding=1)


def alexnet_imagenet_by_hand(network: Network, images: Tensor) -> Tensor:
    """The last map has one pixel here, which average-pooling to 6×6 repeats."""
    return chain(network, images, {0: 3, 1: 3, 4: 3}, stride=4, padding=2)


def chain(
    network: Network, images: Tensor, pools: dict[int, int], *, stride: int = 1, padding: int | None = None
) -> Tensor:
    """Layers in a row, each pooled, then normalised; stride and padding are those of the first."""
    norms = [part for part in network.body if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    layers = [layer for _, layer in network.layers()]
    x = 4 * images - 2
    for number, layer in enumerate(layers):
        x = x.relu() if number == len(layers) - 1 else layer.activation(x)
        weight = layer.weight()
        if weight.dim() == 2:
            x = x.flatten(1)
            copies = weight.shape[1] // x.shape[1]
            x = x.repeat_interleave(copies, 1) @ weight.T + (0 if layer.bias is None else layer.bias)
            x = x if number == len(norms) else normalised(norms[number], x[..., None, None])[..., 0, 0]
            continue
        around = weight.shape[2] // 2 if number or padding is None else padding
        x = functional.conv2d(x, weight, stride=1 if number else stride, padding=around)
        if number in pools:
            x = x.unfold(2, pools[number], 2).unfold(3, pools[number], 2).amax((4, 5))
        x = normalised(norms[number], x)
    return x


def fcn2_by_hand(network: Network, images: Tensor) -> Tensor:
    norms = [part for part in network.body if isinstance(part, nn.BatchNorm1d)]
    x = 4 * images.flatten(1) - 2
    for number, (_, layer) in enumerate(network.layers()):
        if number:
            x = normalised(norms[number - 1], x[..., None, None])[..., 0, 0]
            x = x.relu() if number == 4 else layer.activation(x)
        x = x @ layer.weight().T + (layer.bias if layer.bias is not None else 0)
    return x


BY_HAND = {
    "fcn1": fcn2_by_hand,
    "fcn2": fcn2_by_hand,
    "mnistconv": mnistconv_by_hand,
    "mnistcnn": mnistcnn_by_hand,
    "cifarconv": cifarconv_by_hand,
    "alexnet": alexnet_by_hand,
    "alexnet-imagenet": alexnet_imagenet_by_hand,
}


@pytest.mark.parametrize("token", ["fp", "xnor", "dorefa3-3"])
@pytest.mark.parametrize("name", BY_HAND)
def test_the_other_networks_are_wired_as_written(name, token):
    network, images = drawn(name, token, width=2 * thin(name)), pictures(name, 8)
    assert torch.allclose(network(images), BY_HAND[name](network, images), atol=1e-3)


def test_every_network_is_computed_by_hand():
    assert STAGES.keys() | BY_HAND.keys() == NETWORKS.keys()
