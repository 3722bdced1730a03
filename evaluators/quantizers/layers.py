"""Layers that compute in a given precision."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.quantizers.bases import MultiBaseActivation, MultiBaseWeight
from evaluators.quantizers.binary import BinaryNetWeight, SignActivation, XnorWeight
from evaluators.quantizers.convolution import convolve
from evaluators.quantizers.linear import LinearWeight
from evaluators.quantizers.uniform import DoReFaActivation, DoReFaWeight, PactActivation
from evaluators.quantizers.weights import FloatWeight, WeightQuantizer
from space import Precision, UnknownName

FLOAT_BITS = 8
"""Full precision is counted as 8/8 bits, as Frickenstein et al. (2023) count it, and run in float32."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a precision makes its quantizers: weights from (shape, precision), activations from (precision)."""

    weight: Callable[[tuple[int, ...], Precision], WeightQuantizer]
    activation: Callable[[Precision], nn.Module]


METHODS: dict[str, Method] = {
    "fp": Method(weight=lambda shape, p: FloatWeight(shape), activation=lambda p: nn.ReLU()),
    "ptq": Method(weight=lambda shape, p: LinearWeight(shape, p.weight), activation=lambda p: nn.ReLU()),
    "pact": Method(
        weight=lambda shape, p: DoReFaWeight(shape, p.weight),
        activation=lambda p: PactActivation(p.activation),
    ),
    "dorefa": Method(
        weight=lambda shape, p: DoReFaWeight(shape, p.weight),
        activation=lambda p: DoReFaActivation(p.activation),
    ),
    "bnn": Method(weight=lambda shape, p: BinaryNetWeight(shape), activation=lambda p: SignActivation()),
    "xnor": Method(weight=lambda shape, p: XnorWeight(shape), activation=lambda p: SignActivation()),
    "mbn": Method(
        weight=lambda shape, p: MultiBaseWeight(shape, p.weight),
        activation=lambda p: MultiBaseActivation(p.activation),
    ),
}
"""The quantizers of every precision's method; a new precision is one more line (and its token in `space`)."""


def method_of(precision: Precision) -> Method:
    """The quantizers of a precision; raises UnknownName where none are written."""
    if precision.method not in METHODS:
        raise UnknownName("precision", precision.method, METHODS)
    return METHODS[precision.method]


class QuantLayer(nn.Module):
    """A linear operator on quantized activations with quantized weights.

    Attributes:
        activation: applied to the input first.
        weight: gives the effective weight.
        bits: (weight, activation) bits or bases that one MAC is counted with.
        bases: whether `bits` are bases, each pair of which is a binary convolution of its own.
        mu: μ-law compression of the effective weight after training; 0 for none.
    """

    def __init__(self, shape: tuple[int, ...], *, bias: bool = False) -> None:
        super().__init__()
        self.activation: nn.Module = nn.Identity()
        self.weight: WeightQuantizer = FloatWeight(shape)
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        self.bits = (FLOAT_BITS, FLOAT_BITS)
        self.bases = False
        self.mu = 0.0
        self._known: tuple[object, Tensor] | None = None

    def quantized(self, precision: Precision) -> "QuantLayer":
        """Compute in this precision, input activation included; returns itself."""
        self.with_weights(precision)
        self.activation = method_of(precision).activation(precision)
        self.bits = (precision.weight, precision.activation)
        self.bases = precision.method == "mbn"
        return self

    def with_weights(self, precision: Precision) -> None:
        """Hold weights of this precision; activations stay as they are."""
        self.weight = method_of(precision).weight(tuple(self.weight.shape), precision)
        self.bits = (precision.weight, self.bits[1])

    def effective_weight(self) -> Tensor:
        """The weight that the operator uses: quantized and μ-law compressed.

        Of a frozen layer it is computed once, and again when something it follows from has changed: an attack asks
        for it at every step.
        """
        if any(latent.requires_grad for latent in self.weight.parameters()):
            return self.weight.mapped(self.mu)
        state = (self.mu, *((one.data_ptr(), one._version, one.dtype) for one in self.weight.state_dict().values()))
        if self._known is None or self._known[0] != state:
            self._known = state, self.weight.mapped(self.mu)
        return self._known[1]

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Draw the float weight from the normal of He et al. (2015), fan-in; zero the bias."""
        fan_in = self.weight.shape[1:].numel()
        self.weight.load_float(torch.randn(self.weight.shape, generator=generator) * (2 / fan_in) ** 0.5)
        if self.bias is not None:
            self.bias.zero_()


class QuantConv2d(QuantLayer):
    """A convolution; the border is padded with zeros after the activation, also where activations are binary.

    Attributes:
        padding: pixels before and after each axis, one number where both are equal.
    """

    def __init__(
        self, channels: tuple[int, int], kernel: int, *, stride: int = 1, padding: int | tuple[int, int] = 0
    ) -> None:
        super().__init__((channels[1], channels[0], kernel, kernel))
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×H'×W' out."""
        x, padding = self.activation(x), self.padding
        if isinstance(padding, tuple):
            x, padding = functional.pad(x, padding * 2), 0
        return convolve(x, self.effective_weight(), self.bias, self.stride, padding)


class QuantLinear(QuantLayer):
    """A fully connected layer."""

    def __init__(self, features: tuple[int, int], *, bias: bool = False) -> None:
        super().__init__((features[1], features[0]), bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """N×in in, N×out out."""
        return functional.linear(self.activation(x), self.effective_weight(), self.bias)
