"""Cost models: pure functions from the layers of a network to one number, added over the members of an ensemble."""

import math
from collections.abc import Callable, Sequence

from evaluators.networks.trace import LayerShape

CostModel = Callable[[Sequence[LayerShape]], float]


def layer_bops(layer: LayerShape) -> int:
    """MACs·b_w·b_a; for an M×N multi-bit layer MACs·M·N (Frickenstein et al. 2023)."""
    return layer.macs * layer.weight_bits * layer.activation_bits


def bops(layers: Sequence[LayerShape]) -> float:
    """Bit operations of one image, layer by layer."""
    return float(sum(map(layer_bops, layers)))


def macs(layers: Sequence[LayerShape]) -> float:
    """Multiply-accumulates of one image."""
    return float(sum(layer.macs for layer in layers))


def stored(layers: Sequence[LayerShape]) -> float:
    """Weights of all layers."""
    return float(sum(layer.weights for layer in layers))


def weight_bits(layers: Sequence[LayerShape]) -> float:
    """Bits of all weights, M a weight for M bases; scales, biases and batch norm are left out."""
    return float(sum(layer.weights * layer.weight_bits for layer in layers))


def memory(layers: Sequence[LayerShape]) -> float:
    """Bytes of all weights; full precision counts 8 bits, as it does in `bops`, the places of pruned ones nothing."""
    return weight_bits(layers) / 8


def activations(layers: Sequence[LayerShape]) -> float:
    """Bytes of the input activations of all layers, each at its bits (N a value for N bases)."""
    return float(sum(layer.inputs * layer.activation_bits for layer in layers)) / 8


def baskin(layers: Sequence[LayerShape]) -> float:
    """Bit operations with accumulators: MAC·(b_w·b_a + b_w + b_a + log2(n·k²)) (UNIQ, Baskin et al. 2018).

    n·k² products go into a sum, fewer where weights are pruned: what is not multiplied is not added either.
    A multi-bit layer is M·N binary convolutions, each with accumulators of its own.
    """
    return float(sum(map(_baskin_layer, layers)))


def _baskin_layer(layer: LayerShape) -> float:
    weight, activation = layer.weight_bits, layer.activation_bits
    passes = weight * activation if layer.bases else 1
    weight, activation = (1, 1) if layer.bases else (weight, activation)
    depth = max(0.0, math.log2(layer.macs / layer.outputs))  # of a layer that is pruned to less than a product a sum
    return layer.macs * passes * (weight * activation + weight + activation + depth)


def ops64(layers: Sequence[LayerShape]) -> float:
    """Binary operations / 64 + float operations, as binary networks are compared (Bi-Real Net, Liu et al. 2018).

    An 8/8 layer stands for full precision: 64 binary operations are one.
    """
    return bops(layers) / 64


COST_MODELS: dict[str, CostModel] = {
    "bops": bops,
    "memory": memory,
    "activations": activations,
    "baskin": baskin,
    "ops64": ops64,
}
"""The cost objectives by name."""
