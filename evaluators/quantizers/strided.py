"""Convolutions whose steps are longer than a pixel, with a quick gradient to what they are applied to.

The gradient spreads every output over a kernel's width of pixels, s pixels apart. Pixels of one phase (row and column
modulo the stride s) get it from one phase of the kernel alone, and for them it is an ordinary convolution; so all s²
phases are one convolution of s² times the channels, put in place by a pixel shuffle (Shi et al. 2016). On processors
PyTorch's own takes up to 8 times as long where there are few channels, as at the image itself.
"""

import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.autograd.function import FunctionCtx


def conv2d(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """PyTorch's convolution, N×C×H×W in; where the weight is fixed and the sizes allow it, its gradient is quick."""
    if _has_phases(x, weight, stride, padding):
        return _Strided.apply(x, weight, stride, padding)  # type: ignore[no-any-return]
    return functional.conv2d(x, weight, None, stride, padding)


def _has_phases(x: Tensor, weight: Tensor, stride: int, padding: int) -> bool:
    """Whether a gradient to `x` alone is asked for, and whether stride, kernel and image fit into each other."""
    lengths = (*weight.shape[2:], *(size + 2 * padding for size in x.shape[2:]))
    wanted = torch.is_grad_enabled() and x.requires_grad and not weight.requires_grad
    return wanted and stride > 1 and x.device.type == "cpu" and not any(length % stride for length in lengths)


class _Strided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.sizes = (stride, padding, *x.shape[2:])  # type: ignore[attr-defined]
        return functional.conv2d(x, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,) = ctx.saved_tensors  # type: ignore[attr-defined]
        stride, padding, height, width = ctx.sizes  # type: ignore[attr-defined]
        phases = functional.pixel_unshuffle(weight, stride).flip(2, 3).transpose(0, 1)
        reach = (phases.shape[2] - 1, phases.shape[3] - 1)
        spread = functional.pixel_shuffle(functional.conv2d(grads[0], phases, padding=reach), stride)
        return spread[:, :, padding : padding + height, padding : padding + width], None, None, None
