"""Fake quantizers with straight-through estimators, as tutorials write them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from space import Precision


class Sign(torch.autograd.Function):
    """sign(x) with sign(0) = +1; the gradient passes where |x| <= 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """The hard-tanh rule."""
        (x,) = ctx.saved_tensors
        passed: Tensor = grads[0] * (x.abs() <= 1)
        return passed


def straight_through(value: Tensor, x: Tensor) -> Tensor:
    """The value of one, the gradient of the other."""
    return x + (value - x).detach()


def quantize_unit(x: Tensor, bits: int) -> Tensor:
    """Round x in [0, 1] to 2^bits levels."""
    levels = 2**bits - 1
    return straight_through((x * levels).round() / levels, x)


def dorefa_weight(weight: Tensor, bits: int) -> Tensor:
    """Squashed by tanh, then rounded, in [-1, 1]."""
    squashed = weight.tanh()
    return 2 * quantize_unit(squashed / (2 * squashed.detach().abs().max()) + 0.5, bits) - 1


def xnor_weight(weight: Tensor) -> Tensor:
    """Signs times the mean magnitude of each output channel."""
    return Sign.apply(weight) * weight.abs().mean((1, 2, 3), keepdim=True)  # type: ignore[no-any-return]


class SignActivation(nn.Module):
    """One bit."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        return Sign.apply(x)  # type: ignore[no-any-return]


class DoReFaActivation(nn.Module):
    """Clipped to [0, 1], then rounded."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        return quantize_unit(x.clamp(0, 1), self.bits)


class PactActivation(nn.Module):
    """Clipped to [0, clip] with a learned clip, then rounded."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits
        self.clip = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        clipped = 0.5 * (x.abs() - (x - self.clip).abs() + self.clip)
        step = self.clip.detach() / (2**self.bits - 1)
        return straight_through((clipped / step).round() * step, clipped)


def weight_quantizer(precision: Precision) -> Callable[[Tensor], Tensor]:
    """From latent to effective weights."""
    match precision.method:
        case "fp":
            return lambda weight: weight
        case "pact" | "dorefa":
            return lambda weight: dorefa_weight(weight, precision.weight)
        case "xnor":
            return xnor_weight
    raise ValueError(f"not written: {precision}")


def activation_quantizer(precision: Precision) -> nn.Module:
    """Applied to the input of a layer."""
    match precision.method:
        case "fp":
            return nn.ReLU()
        case "pact":
            return PactActivation(precision.activation)
        case "dorefa":
            return DoReFaActivation(precision.activation)
        case "xnor":
            return SignActivation()
    raise ValueError(f"not written: {precision}")
