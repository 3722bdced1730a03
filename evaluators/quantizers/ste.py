"""Straight-through functions: a step in the forward pass, a written rule in the backward pass.

The window of a rule is where gradients pass: 1[|x| <= 1] is the hard-tanh rule of Hubara et al. (2016).
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from evaluators.quantizers import kernels


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        if not kernels.suit(x):
            return plain_sign(x)
        out, values = kernels.empty(x)
        kernels.steps(kernels.flat(x, x), x.new_ones(1), x.new_zeros(1), values)
        return out

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return through_window(grads[0], x)


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        return grads[0]


def plain_sign(x: Tensor) -> Tensor:
    """sign(x) in {-1, +1} with sign(0) = +1; no gradient."""
    # -0.0 + 0.0 is +0.0, so that the sign bit of the sum is set for x < 0 alone; several times faster than `where`
    return torch.copysign(x.new_ones(()), x + 0.0)


def through_window(grad: Tensor, x: Tensor) -> Tensor:
    """grad·1[|x| <= 1], any shape, in one pass over memory."""
    edge = 1.0 + torch.finfo(x.dtype).eps  # the kernel's window is open, ours is closed
    return torch.ops.aten.hardtanh_backward(grad, x, -edge, edge)  # type: ignore[no-any-return]


def sign(x: Tensor) -> Tensor:
    """sign(x) in {-1, +1}, sign(0) = +1; gradient g·1[|x| <= 1] (Hubara et al. 2016, eq. 4).

    >>> x = torch.tensor([-2.0, -0.5, 0.0, 3.0], requires_grad=True)
    >>> y = sign(x); y.sum().backward(); y.tolist(), x.grad.tolist()
    ([-1.0, -1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0])
    """
    return _Sign.apply(x)  # type: ignore[no-any-return]


def round_through(x: Tensor) -> Tensor:
    """round(x), halves to even; gradient g (Bengio et al. 2013).

    >>> x = torch.tensor([0.4, 1.6], requires_grad=True)
    >>> y = round_through(x); y.sum().backward(); y.tolist(), x.grad.tolist()
    ([0.0, 2.0], [1.0, 1.0])
    """
    return _Round.apply(x)  # type: ignore[no-any-return]
