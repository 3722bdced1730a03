"""Σ_n β_n·sign(x + v_n) with the hard-tanh rule at each of its N thresholds."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from evaluators.quantizers import kernels
from evaluators.quantizers.ste import plain_sign, through_window


def staircase(x: Tensor, height: Tensor, shift: Tensor) -> Tensor:
    """Σ_n height_n·sign(x + shift_n), sign(0) = +1.

    Gradient: g·Σ_n height_n·1[|x + shift_n| <= 1] to x, Σ g·sign(x + shift_n) to height_n,
    Σ g·height_n·1[|x + shift_n| <= 1] to shift_n.

    Args:
        x: any shape.
        height, shift: N values each, of the dtype of `x`.
    """
    return _Staircase.apply(x, height, shift)  # type: ignore[no-any-return]


class _Staircase(torch.autograd.Function):
    """Saves x alone and finds its N masks again, so that memory does not grow with N."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, height: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(x, height, shift)
        if not kernels.suit(x):
            return steps(x, height, shift)
        out, values = kernels.empty(x)
        kernels.steps(kernels.flat(x, x), height, shift, values)
        return out

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        x, height, shift = ctx.saved_tensors  # type: ignore[attr-defined]
        if not kernels.suit(x) or torch.is_grad_enabled():  # a gradient of this gradient is asked for
            return windows(grads[0], x, height, shift)
        out, values = kernels.empty(x)
        grad, flat = kernels.flat(grads[0], x), kernels.flat(x, x)
        if not any(ctx.needs_input_grad[1:]):  # type: ignore[attr-defined]
            kernels.passed(grad, flat, height, shift, values)
            return out, None, None
        signed, passing = kernels.windows(grad, flat, height, shift, values)
        return out, signed, passing * height


def steps(x: Tensor, height: Tensor, shift: Tensor) -> Tensor:
    """The values of a staircase, in PyTorch's own operations."""
    out = torch.zeros_like(x)
    for beta, v in zip(height, shift, strict=True):
        out.addcmul_(plain_sign(x + v), beta)
    return out


def windows(grad: Tensor, x: Tensor, height: Tensor, shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three gradients of a staircase, in PyTorch's own operations."""
    out, signed, passing = torch.zeros_like(x), [], []
    for beta, v in zip(height, shift, strict=True):
        passed = through_window(grad, x + v)
        out.addcmul_(passed, beta)
        passing.append(passed.sum())
        signed.append((plain_sign(x + v) * grad).sum())
    return out, torch.stack(signed), torch.stack(passing) * height
