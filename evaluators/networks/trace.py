"""Follows shapes through a network without computing: what each layer multiplies, stores and counts with."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from evaluators.networks.build import build
from evaluators.networks.plan import Plan
from evaluators.networks.shapes import layer_sizes, unfilled
from evaluators.quantizers.layers import QuantConv2d, QuantLayer
from evaluators.quantizers.weights import FloatWeight
from space import AnyPrecision


@dataclass(frozen=True, kw_only=True)
class LayerShape:
    """One layer as the cost models see it, for one image.

    Attributes:
        name: its place in the network.
        kind: "conv" or "linear".
        macs: multiply-accumulates with weights that are not pruned.
        weights: number of weights, biases and pruned ones left out.
        inputs: number of input values, activations that are stored for this layer.
        outputs: number of output values.
        weight_bits: bits, or bases, of a weight.
        activation_bits: bits, or bases, of an input activation.
        bases: whether these are bases.
    """

    name: str
    kind: str
    macs: int
    weights: int
    inputs: int
    outputs: int
    weight_bits: int
    activation_bits: int
    bases: bool = False


@lru_cache(maxsize=1024)
def trace(name: str, precision: AnyPrecision, plan: Plan) -> tuple[LayerShape, ...]:
    """The layers of a network, in order; milliseconds, no memory for weights or activations."""
    with torch.device("meta"):
        network = build(name, precision, plan).eval()
        kept = {layer: layer.weight.kept for _, layer in network.layers()}
        for layer in kept:
            _without_values(layer)
    unfilled(network)
    sizes = layer_sizes(network.body, plan.shape)
    return tuple(_shape(name, layer, kept[layer], *sizes[layer]) for name, layer in network.layers())


def _without_values(layer: QuantLayer) -> None:
    """Quantizers change no shape, but without values each of their steps takes a tenth of a millisecond."""
    layer.activation, layer.weight = nn.Identity(), FloatWeight(tuple(layer.weight.shape))


def _shape(name: str, layer: QuantLayer, weights: int, inputs: int, outputs: int) -> LayerShape:
    return LayerShape(
        name=name,
        kind="conv" if isinstance(layer, QuantConv2d) else "linear",
        macs=outputs // layer.weight.shape[0] * weights,
        weights=weights,
        inputs=inputs,
        outputs=outputs,
        weight_bits=layer.bits[0],
        activation_bits=layer.bits[1],
        bases=layer.bases,
    )
