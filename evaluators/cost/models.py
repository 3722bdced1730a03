"""Cost models: pure functions from the layers of a network to one number, added over the members of an ensemble."""

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


def weight_bits(layers: Sequence[LayerShape]) -> float:
    """Bits of all weights, M a weight for M bases; scales, biases and batch norm are left out."""
    return float(sum(layer.weights * layer.weight_bits for layer in layers))


def memory(layers: Sequence[LayerShape]) -> float:
    """Bytes of all weights; full precision counts 8 bits, as it does in `bops`."""
    return weight_bits(layers) / 8


COST_MODELS: dict[str, CostModel] = {"bops": bops, "memory": memory}
"""The cost objectives by name."""
