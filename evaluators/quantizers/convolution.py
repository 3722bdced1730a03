"""A convolution whose gradient towards grey images is quick on processors.

Libraries compute that gradient as a convolution with one output channel, which fills little of a vector: for the first
layer of MNISTconv it is half of an attack's step. A matrix product, whose columns are then added up where windows
overlap, takes a quarter to two thirds of the time of both passes (benchmarks/grey_gradient.py).
"""

from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.autograd.function import Function
from torch.nn.grad import conv2d_weight


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """The convolution of N×C×H×W with out×C×K×K; values are those of torch, gradients up to rounding."""
    grey = x.shape[1] == 1 and x.device.type == "cpu" and x.dtype == torch.float32
    if grey and x.requires_grad and torch.is_grad_enabled():
        return _GreyConvolution.apply(x, weight, bias, stride, padding)  # type: ignore[no-any-return]
    return functional.conv2d(x, weight, bias, stride, padding)


class _GreyConvolution(Function):
    """Its backward pass can be differentiated again, as gradient penalties do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        to_x = _image_gradient(gradient, weight, x, stride, padding) if ctx.needs_input_grad[0] else None
        to_weight = to_bias = None
        if ctx.needs_input_grad[1]:
            to_weight = conv2d_weight(x, weight.shape, gradient, stride, padding)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[2]:
            to_bias = gradient.sum((0, 2, 3))
        return to_x, to_weight, to_bias, None, None


def _image_gradient(gradient: Tensor, weight: Tensor, x: Tensor, stride: int, padding: int) -> Tensor:
    """What each window adds to its pixels, and the sum over all windows: N×1×H×W."""
    windows = gradient.permute(0, 2, 3, 1).flatten(1, 2).transpose(1, 2)  # N×out×H'W', as channels-last holds it
    columns = weight.flatten(1).t() @ windows
    size, kernel = (x.shape[2], x.shape[3]), (weight.shape[2], weight.shape[3])
    return functional.fold(columns, size, kernel, padding=padding, stride=stride)
