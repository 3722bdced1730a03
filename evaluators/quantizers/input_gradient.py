"""The gradient of a convolution towards an input of few channels, in two ways that fill vectors.

Both see the output's gradient as that of the phases of the stride: the pixels (y, x) of one phase have y and x of the
same remainders, and lie side by side, so that every operation is one on whole pictures.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor

FEW = 3
"""Channels of images: here a matrix product is the quickest."""
LANES = 64
"""Channels that all phases may have together, to be convolved at once."""

InputGradient = Callable[[Tensor, Tensor, tuple[int, int], int, int], Tensor]
"""From the output's gradient (N×out×H'×W'), the weight (out×C×K×L), the input's size, stride and padding: N×C×H×W."""


def quicker(weight: Sequence[int], stride: int) -> InputGradient | None:
    """The way that is quicker than the library's for a weight of this shape (out×C×K×L); None where none is."""
    channels, kernel = weight[1], min(weight[2:])
    if stride > 1 and channels > 1 and channels * stride**2 <= LANES and kernel >= 2 * stride:
        return by_phases
    return by_product if channels <= FEW else None


def by_product(gradient: Tensor, weight: Tensor, size: tuple[int, int], stride: int, padding: int) -> Tensor:
    """What each window adds to its pixels, and the sum over all windows."""
    count, out, high, wide = gradient.shape
    weight = _filled(weight, stride)
    channels, down, across = weight.shape[1], weight.shape[2] // stride, weight.shape[3] // stride
    windows = gradient.permute(0, 2, 3, 1).reshape(-1, out)  # as channels-last holds it
    columns = weight.reshape(out, -1).t() @ windows.t()
    columns = columns.view(channels, down, stride, across, stride, count, high, wide)
    phases = columns.new_zeros(channels, stride, stride, count, high + down - 1, wide + across - 1)
    for row in range(down):
        for column in range(across):
            phases[..., row : row + high, column : column + wide] += columns[:, row, :, column]
    image = phases.permute(3, 0, 4, 1, 5, 2).reshape(count, channels, *(stride * n for n in phases.shape[4:]))
    return _cut(image, size, padding)


def by_phases(gradient: Tensor, weight: Tensor, size: tuple[int, int], stride: int, padding: int) -> Tensor:
    """One convolution without a stride, whose output channels are the phases."""
    weight = _filled(weight, stride)
    out, channels, down, across = *weight.shape[:2], weight.shape[2] // stride, weight.shape[3] // stride
    phases = weight.view(out, channels, down, stride, across, stride).flip(2, 4).permute(1, 3, 5, 0, 2, 4)
    kernel = phases.reshape(-1, out, down, across).contiguous(memory_format=torch.channels_last)
    spread = functional.conv2d(gradient, kernel, padding=(down - 1, across - 1))
    return _cut(functional.pixel_shuffle(spread, stride), size, padding)


def _filled(weight: Tensor, stride: int) -> Tensor:
    """With zeros up to a multiple of the stride."""
    high, wide = (-size % stride for size in weight.shape[2:])
    return functional.pad(weight, (0, wide, 0, high)) if high or wide else weight


def _cut(image: Tensor, size: tuple[int, int], padding: int) -> Tensor:
    """Without the border; pixels that no window saw are zero."""
    rest = [size[axis] + padding - image.shape[2 + axis] for axis in (0, 1)]
    return functional.pad(image, (-padding, rest[1], -padding, rest[0]))
