"""Convolutions that libraries are slow at on processors: of windows that see all at once, and towards few channels.

A convolution whose window is as large as its image is a matrix product, in half of the time. The gradient towards
images of few channels is computed elsewhere as a convolution that fills little of a vector: for the first layer of
MNISTconv it is half of an attack's step (benchmarks/grey_gradient.py).
"""

from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.autograd.function import Function
from torch.nn.grad import conv2d_weight

from evaluators.quantizers.input_gradient import quicker


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """The convolution of N×C×H×W with out×C×K×K; values and gradients are those of torch up to rounding."""
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return functional.conv2d(x, weight, bias, stride, padding)
    if x.shape[2:] == weight.shape[2:] and not padding:
        return _product(x, weight, bias)
    if x.requires_grad and torch.is_grad_enabled() and quicker(weight.shape, stride):
        return _Convolution.apply(x, weight, bias, stride, padding)  # type: ignore[no-any-return]
    return functional.conv2d(x, weight, bias, stride, padding)


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """One window sees it all: N×out×1×1."""
    if x.is_contiguous(memory_format=torch.channels_last):
        x, weight = x.permute(0, 2, 3, 1), weight.permute(0, 2, 3, 1)
    return functional.linear(x.flatten(1), weight.flatten(1), bias)[:, :, None, None]


class _Convolution(Function):
    """With a gradient of our own; its backward pass can be differentiated again, as gradient penalties do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        stride, padding, to_input = ctx.stride, ctx.padding, quicker(weight.shape, ctx.stride)
        size = (x.shape[2], x.shape[3])
        to_x = to_input(gradient, weight, size, stride, padding) if to_input and ctx.needs_input_grad[0] else None
        to_weight = to_bias = None
        if ctx.needs_input_grad[1]:
            to_weight = conv2d_weight(x, weight.shape, gradient, stride, padding)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[2]:
            to_bias = gradient.sum((0, 2, 3))
        return to_x, to_weight, to_bias, None, None
