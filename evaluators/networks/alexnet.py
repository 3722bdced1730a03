"""AlexNet (Krizhevsky, Sutskever, Hinton 2012) in one tower (Krizhevsky 2014), for ImageNet and for CIFAR images.

Batch norm before each activation takes the place of dropout and of local response normalisation, as XNOR-Net
(Rastegari et al. 2016) has it; pooling stands before batch norm. The first convolution and the classifier stay 8/8.
"""

from torch import nn

from evaluators.networks.plan import Plan
from evaluators.quantizers.layers import QuantConv2d, QuantLinear
from space import Precision


def alexnet(plan: Plan, precision: Precision) -> nn.Module:
    """AlexNet for 32×32 images: 3×3 kernels, the first of stride 2, 2×2 pools, FC 4096 twice.

    Panda et al. (2019) train "AlexNet" on CIFAR-10 without its sizes. Chosen: the widths of the one-tower network
    with kernels and pools that leave 2×2 pixels of a 32×32 image to the first fully connected layer.
    """
    c1, c2, c3, c4, c5 = _widths(plan)
    side = [((size + 1) // 2) // 8 for size in plan.shape[1:]]
    return nn.Sequential(
        QuantConv2d((plan.shape[0], c1), 3, stride=2, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(c1),
        QuantConv2d((c1, c2), 3, padding=1).quantized(precision),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(c2),
        *_middle((c2, c3, c4, c5), precision),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(c5),
        *_head(plan, c5 * side[0] * side[1], precision),
    )


def alexnet_imagenet(plan: Plan, precision: Precision) -> nn.Module:
    """AlexNet for 224×224 images, with torchvision's sizes: 64-192-384-256-256, FC 4096 twice, 0.714 G MACs.

    EMPIR (2020) has 96-256-384-384-256 in grouped convolutions, its first kernel 12×12. Pools are 3×3 /2; the last
    map is averaged to 6×6 where images are larger, and repeated where they are smaller.
    """
    c1, c2, c3, c4, c5 = _widths(plan)
    return nn.Sequential(
        QuantConv2d((plan.shape[0], c1), 11, stride=4, padding=2),
        nn.MaxPool2d(3, 2),
        nn.BatchNorm2d(c1),
        QuantConv2d((c1, c2), 5, padding=2).quantized(precision),
        nn.MaxPool2d(3, 2),
        nn.BatchNorm2d(c2),
        *_middle((c2, c3, c4, c5), precision),
        nn.MaxPool2d(3, 2),
        nn.AdaptiveAvgPool2d(6),
        nn.BatchNorm2d(c5),
        *_head(plan, c5 * 6 * 6, precision),
    )


def _widths(plan: Plan) -> list[int]:
    return [plan.channels(count) for count in (64, 192, 384, 256, 256)]


def _middle(channels: tuple[int, int, int, int], precision: Precision) -> list[nn.Module]:
    """The third to fifth convolution; the norm of the last follows its pool."""
    c2, c3, c4, c5 = channels
    return [
        QuantConv2d((c2, c3), 3, padding=1).quantized(precision),
        nn.BatchNorm2d(c3),
        QuantConv2d((c3, c4), 3, padding=1).quantized(precision),
        nn.BatchNorm2d(c4),
        QuantConv2d((c4, c5), 3, padding=1).quantized(precision),
    ]


def _head(plan: Plan, features: int, precision: Precision) -> list[nn.Module]:
    hidden = plan.channels(4096)
    return [
        nn.Flatten(),
        QuantLinear((features, hidden)).quantized(precision),
        nn.BatchNorm1d(hidden),
        QuantLinear((hidden, hidden)).quantized(precision),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        QuantLinear((hidden, plan.classes), bias=True),
    ]
