"""How many bytes weights take: by the closed form, and in a file."""

import math
from pathlib import Path

import numpy as np

from evaluators.ensemble import Ensemble
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.pruned import PrunedWeight
from evaluators.quantizers.weights import FloatWeight

GROWING = ("signs", "codes", "mask", "kept")
"""Parts of a coded weight that grow with it; the cost model leaves scales and levels out too."""


def expected_bytes(ensemble: Ensemble) -> int:
    """Of all weights: k bits each in k planes, float32 where a layer stays float, a mask beside what pruning kept.

    It is the cost model's `weight_bits` with 32 bits instead of 8 for float32, and the last byte of a plane filled up.
    """
    return sum(_layer_bytes(module) for module in ensemble.modules() if isinstance(module, QuantLayer))


def stored_bytes(path: Path) -> int:
    """Of all weights in a packed.npz."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        weights = [name for name in archive.files if name.partition(":")[0].endswith(".weight")]
        return sum(archive[name].nbytes for name in weights if name.partition(":")[2] in (*GROWING, ""))


def _layer_bytes(layer: QuantLayer) -> int:
    count = layer.weight.shape.numel()
    match layer.weight:
        case FloatWeight():
            return 4 * count
        case PrunedWeight(kept=kept):
            return math.ceil(count / 8) + 4 * kept
    return layer.bits[0] * math.ceil(count / 8)
