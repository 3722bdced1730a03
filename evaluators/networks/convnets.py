"""Small convolutional networks: of EMPIR (Sen, Ravindran, Raghunathan 2020) and of Song, Fallon, Li.

Batch norm stands before each activation, which the papers' networks lack: binary activations cannot do without it,
and one topology for every precision keeps the comparison fair. Pooling stands before batch norm, since
the maximum of binary activations is +1 nearly everywhere. The first convolution and the classifier stay 8/8.
"""

from torch import nn

from evaluators.networks.plan import Plan
from evaluators.quantizers.layers import QuantConv2d, QuantLinear
from space import Precision


def mnistconv(plan: Plan, precision: Precision) -> nn.Module:
    """conv 8×8×64 /2, conv 6×6×128 /2, conv 5×5×128, FC (strides of the authors' code)."""
    c1, c2, c3 = plan.channels(64), plan.channels(128), plan.channels(128)
    side = [_mnistconv_side(size) for size in plan.shape[1:]]
    return nn.Sequential(
        QuantConv2d((plan.shape[0], c1), 8, stride=2, padding=3),
        nn.BatchNorm2d(c1),
        QuantConv2d((c1, c2), 6, stride=2).quantized(precision),
        nn.BatchNorm2d(c2),
        QuantConv2d((c2, c3), 5).quantized(precision),
        nn.BatchNorm2d(c3),
        nn.ReLU(),
        nn.Flatten(),
        QuantLinear((c3 * side[0] * side[1], plan.classes), bias=True),
    )


def mnistcnn(plan: Plan, precision: Precision) -> nn.Module:
    """conv 5×5×32, max-pool, conv 5×5×64, max-pool, FC 1024, FC: the MNIST network of Madry et al. (2018).

    Song, Fallon and Li say no more than "four-layer CNN". Their adversarially trained baseline is that of Madry et al.,
    whose MNIST network has four layers, so it stands for theirs. Pools are 2×2 /2.
    """
    c1, c2, hidden = (plan.channels(count) for count in (32, 64, 1024))
    side = [size // 2 // 2 for size in plan.shape[1:]]
    return nn.Sequential(
        QuantConv2d((plan.shape[0], c1), 5, padding=2),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(c1),
        QuantConv2d((c1, c2), 5, padding=2).quantized(precision),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(c2),
        nn.Flatten(),
        QuantLinear((c2 * side[0] * side[1], hidden)).quantized(precision),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        QuantLinear((hidden, plan.classes), bias=True),
    )


def _mnistconv_side(size: int) -> int:
    first = (size + 2 * 3 - 8) // 2 + 1
    return (first - 6) // 2 + 1 - 4


def cifarconv(plan: Plan, precision: Precision) -> nn.Module:
    """conv 5×5×32, max-pool, conv 8×8×64, average-pool, conv 8×8×64, average-pool, FC 64, FC.

    Sizes of the paper's table; the authors' code has 5×5×32 and 5×5×64 as the later convolutions. Pools are 3×3 /2.
    """
    c1, c2, c3, hidden = (plan.channels(count) for count in (32, 64, 64, 64))
    side = [_halved(_halved(_halved(size))) for size in plan.shape[1:]]
    return nn.Sequential(
        QuantConv2d((plan.shape[0], c1), 5, padding=2),
        nn.MaxPool2d(3, 2, padding=1),
        nn.BatchNorm2d(c1),
        QuantConv2d((c1, c2), 8, padding=(3, 4)).quantized(precision),
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        nn.BatchNorm2d(c2),
        QuantConv2d((c2, c3), 8, padding=(3, 4)).quantized(precision),
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        nn.BatchNorm2d(c3),
        nn.Flatten(),
        QuantLinear((c3 * side[0] * side[1], hidden)).quantized(precision),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        QuantLinear((hidden, plan.classes), bias=True),
    )


def _halved(size: int) -> int:
    return (size + 1) // 2
