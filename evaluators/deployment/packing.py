"""A deployed graph's values in as few bits as they need: binary weights one bit a base, fixed-point ones k bits."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evaluators.deployment.coding import Coded, Floats, as_it_is, decoded, grids, in_mask, in_signs, tables
from evaluators.deployment.graph import Deployed
from evaluators.deployment.operators import constant_weight
from evaluators.ensemble import Ensemble
from evaluators.quantizers.bases import MultiBaseWeight
from evaluators.quantizers.binary import BinaryNetWeight, XnorWeight
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.pruned import PrunedWeight
from evaluators.quantizers.weights import FloatWeight, WeightQuantizer

Arrays = dict[str, NDArray[np.generic]]
"""By name; parts of one weight have its name, a colon and what they are."""


def packed(ensemble: Ensemble) -> Arrays:
    """Every value of `Deployed(ensemble)` by its name there, weights in their bits.

    `unpacked` gives the same values back, bit for bit.
    """
    layers = {f"{name}.weight": one for name, one in ensemble.named_modules() if isinstance(one, QuantLayer)}
    arrays: Arrays = {}
    for name, tensor in Deployed(ensemble).state_dict().items():
        coded = coding_of(layers[name]) if name in layers else as_it_is(tensor.numpy())
        arrays |= {f"{name}:{part}" if part else name: array for part, array in coded.items()}
    return arrays


def unpacked(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, Floats]:
    """The values by name, as `Deployed.load_state_dict` takes them (after `torch.from_numpy`).

    Raises: KeyError, ValueError or IndexError where the arrays do not belong together.
    """
    found: dict[str, Coded] = {}
    for key, array in arrays.items():
        name, _, part = key.partition(":")
        found.setdefault(name, {})[part] = array
    return {name: decoded(coded) for name, coded in found.items()}


def coding_of(layer: QuantLayer) -> Coded:
    """The first of the codings for its kind of weight that gives the layer's weight back bit for bit."""
    weight: Floats = constant_weight(layer).numpy()
    codings = _codings(layer.weight, weight, layer.bits[0])
    return next(one for one in codings if np.array_equal(decoded(one), weight))


def _codings(quantizer: WeightQuantizer, weight: Floats, bits: int) -> Iterator[Coded]:
    """From the one that says most about the weight to float32, which always fits; μ-law mapping leaves no even grid."""
    match quantizer:
        case FloatWeight():
            pass
        case PrunedWeight():
            yield in_mask(weight)
        case MultiBaseWeight():
            yield in_signs(_signs(quantizer), _array(quantizer.scale).reshape(quantizer.scale.shape[:2]))
            yield from tables(weight, bits)
        case BinaryNetWeight() | XnorWeight():
            yield in_signs(_signs(quantizer), np.abs(weight).reshape(1, len(weight), -1).max(2))
        case _:
            yield from grids(weight, bits)
            yield from tables(weight, bits)
    yield as_it_is(weight)


def _signs(quantizer: WeightQuantizer) -> NDArray[np.bool_]:
    return _array(quantizer.latent) >= 0


def _array(tensor: Tensor) -> Floats:
    values: Floats = tensor.detach().cpu().numpy()
    return values
