"""Other straight-through rules for a trained model: the same values forwards, another gradient backwards.

What a quantizer lets through in training is a choice of the training. An attacker makes another one where that choice
hides the way: backward pass differentiable approximation (Athalye, Carlini and Wagner 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Literal

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.overrides import TorchFunctionMode

from evaluators.ensemble import Ensemble
from evaluators.quantizers.bases import MultiBaseActivation
from evaluators.quantizers.binary import SignActivation
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.uniform import DoReFaActivation, PactActivation

Rule = Literal["trained", "window-free", "smooth"]
"""trained: as the network was. window-free: gradients pass wherever the input lies. smooth: as through the tanh or the
sigmoids that the steps approximate, which fade but never end."""

RULES: tuple[Rule, ...] = ("smooth", "window-free")
"""The rules that a network was not trained with."""

STEEPNESS = 4.0
"""Of the sigmoids at the ends of a clipped range, in units of its length."""

FLAT = (
    *(torch.round, torch.floor, torch.ceil, torch.trunc, torch.sign, torch.clamp, torch.clip),
    *(Tensor.round, Tensor.floor, Tensor.ceil, Tensor.trunc, Tensor.sign, Tensor.clamp, Tensor.clip),
    functional.hardtanh,
)
"""Functions without a gradient, or with one that ends, which other people's networks quantize with."""


def through(model: Ensemble, rule: Rule) -> Ensemble:
    """A model of the same values whose gradients follow another rule; `model` itself for "trained"."""
    if rule == "trained":
        return model
    return Ensemble([_Through(member, rule) for member in model.members], model.vote)


def steered(model: Ensemble, twin: Ensemble) -> Ensemble:
    """A model of the same values whose gradients are those of a twin: for one that has none of its own."""
    return _Steered(model, twin)


@torch.enable_grad()
def hides_gradients(model: Ensemble, images: Tensor) -> bool:
    """Whether another rule can make any difference: something between images and logits quantizes or clips."""
    mode = _PassThrough()
    with mode:
        model.member_logits(images.detach().requires_grad_())
    return mode.used or any(
        _is_quantizer(layer.activation) for layer in model.modules() if isinstance(layer, QuantLayer)
    )


class _Given(torch.autograd.Function):
    """A value with a slope of its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return grads[0] * slope, None, None


class _Through(nn.Module):
    """A member whose activations, and whose flat functions wherever they are, follow a rule."""

    def __init__(self, member: nn.Module, rule: Rule) -> None:
        super().__init__()
        self.member = deepcopy(member)
        self.discretizer = getattr(self.member, "discretizer", None)
        for layer in self.member.modules():
            if isinstance(layer, QuantLayer) and _is_quantizer(layer.activation):
                layer.activation = _Activation(layer.activation, rule)

    def forward(self, images: Tensor) -> Tensor:
        with _PassThrough():
            logits: Tensor = self.member(images)
        return logits


class _Activation(nn.Module):
    """The values of a quantizer with the slope of a rule."""

    def __init__(self, quantizer: nn.Module, rule: Rule) -> None:
        super().__init__()
        self.quantizer = quantizer
        slopes, usual = (SMOOTH, _tanh) if rule == "smooth" else (WINDOW_FREE, _one)
        self.slope = slopes.get(type(quantizer), usual)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            value, slope = self.quantizer(x), self.slope(self.quantizer, x)
        return _Given.apply(x, value, slope)  # type: ignore[no-any-return]


class _PassThrough(TorchFunctionMode):
    """Lets gradients pass FLAT functions unchanged.

    Attributes:
        used: whether any gradient would have been changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used = False

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if func not in FLAT:
            return func(*args, **named)
        given, *others = args or (named.pop("input"),)
        if not (torch.is_grad_enabled() and given.requires_grad):
            return func(given, *others, **named)
        self.used = True
        value = func(given.detach().clone(), *others, **named)  # it may write into what it is given
        return _Given.apply(given, value, torch.ones_like(value))


class _Steered(Ensemble):
    def __init__(self, model: Ensemble, twin: Ensemble) -> None:
        super().__init__(list(model.members), model.vote)
        self.twin = twin

    def member_logits(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            values = super().member_logits(images)
        guide = self.twin.member_logits(images).mean(0).expand_as(values)
        return _Given.apply(guide, values, torch.ones_like(values))  # type: ignore[no-any-return]


def _is_quantizer(activation: nn.Module) -> bool:
    return not isinstance(activation, nn.Identity | nn.ReLU)


def _one(quantizer: nn.Module, x: Tensor) -> Tensor:
    return torch.ones_like(x)


def _heights(quantizer: nn.Module, x: Tensor) -> Tensor:
    """Σ β_n: every threshold passes everything."""
    return _parameter(quantizer, "scale").sum().expand_as(x)


def _tanh(quantizer: nn.Module, x: Tensor) -> Tensor:
    return 1 - x.tanh().square()


def _tanhs(quantizer: nn.Module, x: Tensor) -> Tensor:
    pairs = zip(_parameter(quantizer, "scale"), _parameter(quantizer, "shift"), strict=True)
    return torch.stack([beta * (1 - (x + v).tanh().square()) for beta, v in pairs]).sum(0)


def _parameter(quantizer: nn.Module, name: str) -> Tensor:
    value: Tensor = getattr(quantizer, name)
    return value


def _unit(quantizer: nn.Module, x: Tensor) -> Tensor:
    return (STEEPNESS * x).sigmoid() * (STEEPNESS * (1 - x)).sigmoid()


def _clipped(quantizer: nn.Module, x: Tensor) -> Tensor:
    return _unit(quantizer, x / _parameter(quantizer, "clip"))


Slope = Callable[[nn.Module, Tensor], Tensor]

WINDOW_FREE: dict[type, Slope] = {MultiBaseActivation: _heights}
SMOOTH: dict[type, Slope] = {
    SignActivation: _tanh,
    MultiBaseActivation: _tanhs,
    DoReFaActivation: _unit,
    PactActivation: _clipped,
}
