"""Layers of a deployed network: the effective weight as a constant, convolutions and products of the library's own."""

import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.quantizers.layers import QuantConv2d, QuantLayer, QuantLinear
from space import UserError


class Operator(nn.Module):
    """A layer whose weight is fixed.

    Attributes:
        activation: applied to the input first.
        weight: the effective weight of the trained layer; a zero has no sign.
        bias: out floats, or None.
    """

    def __init__(self, layer: QuantLayer, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation
        self.weight: Tensor
        self.bias: Tensor | None
        self.register_buffer("weight", constant_weight(layer))
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().cpu().clone())


class Convolution(Operator):
    """A convolution; the border is padded with zeros after the activation."""

    def __init__(self, layer: QuantConv2d, activation: nn.Module) -> None:
        super().__init__(layer, activation)
        self.stride, self.padding = layer.stride, layer.padding

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×H'×W' out."""
        x, padding = self.activation(x), self.padding
        if isinstance(padding, tuple):
            x, padding = functional.pad(x, padding * 2), 0
        return functional.conv2d(x, self.weight, self.bias, self.stride, padding)


class Product(Operator):
    """A fully connected layer."""

    def forward(self, x: Tensor) -> Tensor:
        """N×in in, N×out out."""
        return functional.linear(self.activation(x), self.weight, self.bias)


def constant_weight(layer: QuantLayer) -> Tensor:
    """The weight as the layer uses it, quantized, mapped and pruned: on the processor, -0 as +0."""
    return layer.effective_weight().detach().cpu() + 0.0


def operator_of(layer: QuantLayer, activation: nn.Module) -> Operator:
    """The deployed layer that computes what a trained one does; UserError for a kind of layer that has none."""
    match layer:
        case QuantConv2d():
            return Convolution(layer, activation)
        case QuantLinear():
            return Product(layer, activation)
    raise UserError("a layer cannot be deployed", got=type(layer).__name__, expected="QuantConv2d or QuantLinear")
