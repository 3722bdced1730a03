"""ResNets for 32×32 images (He et al. 2016, §4.2): shortcuts without parameters.

Real activations keep the published wiring. Binary ones get a real shortcut around every convolution
(Bi-Real Net, Liu et al. 2018), since two convolutions of signs in a row lose what the shortcut carries.
The first convolution and the classifier stay 8/8; MACs do not depend on the wiring.
"""

import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.networks.plan import Plan
from evaluators.quantizers.layers import QuantConv2d, QuantLinear
from space import Precision


class Shortcut(nn.Module):
    """Carries x past a convolution: every stride-th pixel, new channels are zero (option A)."""

    def __init__(self, channels: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.stride, self.new = stride, channels[1] - channels[0]

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×⌈H/stride⌉×⌈W/stride⌉ out."""
        x = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(x, (0, 0, 0, 0, 0, self.new)) if self.new else x


class Block(nn.Module):
    """Two 3×3 convolutions with one shortcut around both, or one around each when activations are binary."""

    def __init__(self, channels: tuple[int, int], stride: int, precision: Precision) -> None:
        super().__init__()
        inner = (channels[1], channels[1])
        self.binary = precision.binary
        self.conv1 = QuantConv2d(channels, 3, stride=stride, padding=1).quantized(precision)
        self.norm1 = nn.BatchNorm2d(channels[1])
        self.conv2 = QuantConv2d(inner, 3, padding=1).quantized(precision)
        self.norm2 = nn.BatchNorm2d(channels[1])
        self.shortcut = Shortcut(channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """The stream before its activation in, the next one out; each convolution applies its own activation."""
        if self.binary:
            x = self.shortcut(x) + self.norm1(self.conv1(x))
            carried, last = x, self.conv2(x)
        else:
            carried, last = self.shortcut(x.relu()), self.conv2(self.norm1(self.conv1(x)))
        stream: Tensor = carried + self.norm2(last)
        return stream


def resnet20(plan: Plan, precision: Precision) -> nn.Module:
    """ResNet-20: 3 stages of 3 blocks, 16, 32 and 64 channels."""
    return _resnet(plan, precision, blocks=3)


def _resnet(plan: Plan, precision: Precision, *, blocks: int) -> nn.Module:
    channels = plan.channels(16)
    parts: list[nn.Module] = [
        QuantConv2d((plan.shape[0], channels), 3, padding=1),
        nn.BatchNorm2d(channels),
    ]
    for stage, count in enumerate((16, 32, 64)):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            parts.append(Block((channels, plan.channels(count)), stride, precision))
            channels = plan.channels(count)
    classifier = QuantLinear((channels, plan.classes), bias=True)
    return nn.Sequential(*parts, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), classifier)
