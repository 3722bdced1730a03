"""ResNets (He et al. 2016): for 32×32 images (§4.2), whose shortcuts have no parameters, and for 224×224 ones.

Real activations keep the published wiring. Binary ones get a real shortcut around every convolution
(Bi-Real Net, Liu et al. 2018), since two convolutions of signs in a row lose what the shortcut carries.
The first convolution and the classifier stay 8/8; MACs do not depend on the wiring. Each stage may have a precision of
its own.
"""

from itertools import pairwise

import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.networks.plan import Plan
from evaluators.quantizers.layers import QuantConv2d, QuantLinear
from space import AnyPrecision, Precision


class Shortcut(nn.Module):
    """Carries x past a convolution: every stride-th pixel, new channels are zero (option A)."""

    def __init__(self, channels: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.stride, self.new = stride, channels[1] - channels[0]

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×⌈H/stride⌉×⌈W/stride⌉ out."""
        x = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(x, (0, 0, 0, 0, 0, self.new)) if self.new else x


class ConvShortcut(nn.Module):
    """Carries x past a convolution by another one of its own, in the same precision, and batch norm (option B).

    What it carries is quantized, binary where activations are: only shortcuts that keep the shape stay real.
    """

    def __init__(self, channels: tuple[int, int], stride: int, kernel: int, precision: Precision) -> None:
        super().__init__()
        self.conv = QuantConv2d(channels, kernel, stride=stride, padding=kernel // 2).quantized(precision)
        self.norm = nn.BatchNorm2d(channels[1])

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×⌈H/stride⌉×⌈W/stride⌉ out; the convolution applies its own activation."""
        carried: Tensor = self.norm(self.conv(x))
        return carried


class Block(nn.Module):
    """Two 3×3 convolutions with one shortcut around both, or one around each when activations are binary.

    A kernel for the shortcut makes it a convolution where the shape changes.
    """

    def __init__(
        self, channels: tuple[int, int], stride: int, precision: Precision, *, kernel: int | None = None
    ) -> None:
        super().__init__()
        inner = (channels[1], channels[1])
        self.binary = precision.binary
        changes = stride > 1 or channels[0] != channels[1]
        self.shortcut = (
            ConvShortcut(channels, stride, kernel, precision) if kernel and changes else Shortcut(channels, stride)
        )
        self.conv1 = QuantConv2d(channels, 3, stride=stride, padding=1).quantized(precision)
        if isinstance(self.conv1.activation, nn.ReLU):
            self.conv1.activation = nn.Identity()  # what it is given is rectified
        self.norm1 = nn.BatchNorm2d(channels[1])
        self.conv2 = QuantConv2d(inner, 3, padding=1).quantized(precision)
        self.norm2 = nn.BatchNorm2d(channels[1])

    def forward(self, x: Tensor) -> Tensor:
        """The stream before its activation in, the next one out; each convolution applies its own activation."""
        if self.binary:
            x = self.shortcut(x) + self.norm1(self.conv1(x))
            carried, last = x, self.conv2(x)
        else:
            x = x.relu()  # all real activations begin with it, so that both ways can share it
            carried, last = self.shortcut(x), self.conv2(self.norm1(self.conv1(x)))
        stream: Tensor = carried + self.norm2(last)
        return stream


def resnet20(plan: Plan, precision: AnyPrecision) -> nn.Module:
    """ResNet-20: 3 stages of 3 blocks, 16, 32 and 64 channels."""
    return _cifar(plan, precision, blocks=3)


def resnet56(plan: Plan, precision: AnyPrecision) -> nn.Module:
    """ResNet-56: 3 stages of 9 blocks, 16, 32 and 64 channels."""
    return _cifar(plan, precision, blocks=9)


def wrn32(plan: Plan, precision: AnyPrecision) -> nn.Module:
    """Wide ResNet-32: 3 stages of 5 blocks, 160, 320 and 640 channels after a first convolution of 16.

    Song, Fallon and Li name it and no more. Chosen: depth, widths and the narrow first convolution of the "w32-10 wide"
    network of Madry et al. (2018), whose training is their baseline; blocks and shortcuts of ResNet-20 here, where
    Madry et al. have batch norm and a leaky ReLU before each convolution and average-pool what a shortcut carries.
    """
    return _cifar(plan, precision, blocks=5, widening=10)


def resnet18(plan: Plan, precision: AnyPrecision) -> nn.Module:
    """ResNet-18 for 224×224 images; where a stage begins, the shortcut is a 3×3 convolution in the layer's precision.

    So Frickenstein et al. (2023) count it: 1.968 G MACs, where the usual network has 1.814 G.
    """
    return _imagenet(plan, precision, kernel=3)


def resnet18_1x1(plan: Plan, precision: AnyPrecision) -> nn.Module:
    """ResNet-18 with the 1×1 shortcuts of He et al. (2016), in the precision of the layers around them."""
    return _imagenet(plan, precision, kernel=1)


def _cifar(plan: Plan, precision: AnyPrecision, *, blocks: int, widening: int = 1) -> nn.Module:
    channels = plan.channels(16)
    stem = [QuantConv2d((plan.shape[0], channels), 3, padding=1), nn.BatchNorm2d(channels)]
    stages = [plan.channels(count * widening) for count in (16, 32, 64)]
    return _resnet(stem, [channels, *stages], plan, precision, blocks=blocks)


def _imagenet(plan: Plan, precision: AnyPrecision, *, kernel: int) -> nn.Module:
    channels = plan.channels(64)
    stem = [
        QuantConv2d((plan.shape[0], channels), 7, stride=2, padding=3),
        nn.MaxPool2d(3, 2, padding=1),
        nn.BatchNorm2d(channels),
    ]
    stages = [plan.channels(count) for count in (64, 128, 256, 512)]
    return _resnet(stem, [channels, *stages], plan, precision, blocks=2, kernel=kernel)


def _resnet(
    stem: list[nn.Module],
    channels: list[int],
    plan: Plan,
    precision: AnyPrecision,
    *,
    blocks: int,
    kernel: int | None = None,
) -> nn.Module:
    """A stem, stages of blocks, the classifier; `channels` of the stem and of each stage."""
    parts = list(stem)
    for stage, (before, after) in enumerate(pairwise(channels)):
        computing = precision.at(stage)
        parts.append(Block((before, after), 2 if stage else 1, computing, kernel=kernel))
        parts += [Block((after, after), 1, computing) for _ in range(blocks - 1)]
    classifier = QuantLinear((channels[-1], plan.classes), bias=True)
    return nn.Sequential(*parts, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), classifier)
