"""Multiply-accumulates of every layer of every network, written down from the papers' sizes alone.

A function takes (width, image shape, classes) and lists pixels out × channels out × channels in × kernel².
"""

from collections.abc import Callable
from itertools import pairwise

Shape = tuple[int, int, int]


def channels(width: float, *counts: int) -> list[int]:
    return [max(1, round(count * width)) for count in counts]


def fcn(neurons: int) -> Callable[[float, Shape, int], list[int]]:
    def macs(width: float, shape: Shape, classes: int) -> list[int]:
        (hidden,) = channels(width, neurons)
        return [shape[0] * shape[1] * shape[2] * hidden, *[hidden * hidden] * 3, hidden * classes]

    return macs


def mnistconv(width: float, shape: Shape, classes: int) -> list[int]:
    """8×8 stride 2 "same", 6×6 stride 2 "valid", 5×5 "valid": 28 -> 14 -> 5 -> 1."""
    assert shape[1:] == (28, 28)
    one, two, three = channels(width, 64, 128, 128)
    return [14**2 * one * shape[0] * 8**2, 5**2 * two * one * 6**2, three * two * 5**2, three * classes]


def mnistcnn(width: float, shape: Shape, classes: int) -> list[int]:
    """5×5 "same" twice, a 2×2 pool after each: 28 -> 14 -> 7."""
    assert shape[1:] == (28, 28)
    one, two, hidden = channels(width, 32, 64, 1024)
    return [28**2 * one * shape[0] * 5**2, 14**2 * two * one * 5**2, 7**2 * two * hidden, hidden * classes]


def cifarconv(width: float, shape: Shape, classes: int) -> list[int]:
    assert shape[1:] == (32, 32)
    one, two, three, hidden = channels(width, 32, 64, 64, 64)
    convolutions = [32**2 * one * shape[0] * 5**2, 16**2 * two * one * 8**2, 8**2 * three * two * 8**2]
    return [*convolutions, 4**2 * three * hidden, hidden * classes]


def alexnet(width: float, shape: Shape, classes: int) -> list[int]:
    """Every kernel 3×3; the first of stride 2, 2×2 pools after the first, second and fifth: 32 -> 16, 8, 4, 2."""
    assert shape[1:] == (32, 32)
    one, two, three, four, five, hidden = channels(width, 64, 192, 384, 256, 256, 4096)
    convolutions = [16**2 * one * shape[0], 8**2 * two * one, 4**2 * three * two, 4**2 * four * three]
    convolutions += [4**2 * five * four]
    return [*(9 * one for one in convolutions), 2**2 * five * hidden, hidden * hidden, hidden * classes]


def alexnet_imagenet(width: float, shape: Shape, classes: int) -> list[int]:
    """11×11 stride 4, 5×5, three of 3×3; 3×3 pools of stride 2: 224 -> 55, 27, 13, 6."""
    assert shape[1:] == (224, 224)
    one, two, three, four, five, hidden = channels(width, 64, 192, 384, 256, 256, 4096)
    convolutions = [55**2 * one * shape[0] * 11**2, 27**2 * two * one * 5**2, 13**2 * three * two * 3**2]
    convolutions += [13**2 * four * three * 3**2, 13**2 * five * four * 3**2]
    return [*convolutions, 6**2 * five * hidden, hidden * hidden, hidden * classes]


def cifar_resnet(blocks: int, widening: int = 1) -> Callable[[float, Shape, int], list[int]]:
    """6·blocks + 2 layers; stages at 32×32, 16×16 and 8×8, shortcuts that multiply nothing."""

    def macs(width: float, shape: Shape, classes: int) -> list[int]:
        assert shape[1:] == (32, 32)
        counts = channels(width, 16, 16 * widening, 32 * widening, 64 * widening)
        found = [32**2 * counts[0] * shape[0] * 9]
        for pixels, (before, after) in zip((32**2, 16**2, 8**2), pairwise(counts), strict=True):
            found += [pixels * 9 * before * after, *[pixels * 9 * after * after] * (2 * blocks - 1)]
        return [*found, counts[-1] * classes]

    return macs


def resnet18(kernel: int) -> Callable[[float, Shape, int], list[int]]:
    """7×7 stride 2 and a pool: 224 -> 112 -> 56; two blocks at 56, 28, 14 and 7, a shortcut where the size changes."""

    def macs(width: float, shape: Shape, classes: int) -> list[int]:
        assert shape[1:] == (224, 224)
        counts = channels(width, 64, 128, 256, 512)
        found = [112**2 * counts[0] * shape[0] * 49, *[56**2 * 9 * counts[0] ** 2] * 4]
        for pixels, (before, after) in zip((28**2, 14**2, 7**2), pairwise(counts), strict=True):
            found += [pixels * kernel**2 * before * after, pixels * 9 * before * after]
            found += [pixels * 9 * after * after] * 3
        return [*found, counts[-1] * classes]

    return macs


CLOSED: dict[str, Callable[[float, Shape, int], list[int]]] = {
    "fcn1": fcn(6144),
    "fcn2": fcn(600),
    "mnistconv": mnistconv,
    "mnistcnn": mnistcnn,
    "cifarconv": cifarconv,
    "alexnet": alexnet,
    "alexnet-imagenet": alexnet_imagenet,
    "resnet20": cifar_resnet(3),
    "resnet56": cifar_resnet(9),
    "wrn32": cifar_resnet(5, widening=10),
    "resnet18": resnet18(3),
    "resnet18-1x1": resnet18(1),
}
