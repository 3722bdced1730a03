"""How much memory a training takes, foretold from the shapes of its layers."""

from collections.abc import Sequence

import torch

from evaluators.data.memory import MEMINFO, available_memory
from evaluators.networks.trace import LayerShape
from evaluators.quantizers.layers import FLOAT_BITS

VALUE = 4
"""Bytes of a float32."""

STATES = 4
"""Values kept for a trained one: itself, its gradient, and the two moments of Adam."""

WITHIN = 1.6
"""The measured peak is within this factor of the foretold one, either way (tested from 8 to 300 MB)."""


def training_bytes(layers: Sequence[LayerShape], batch: int) -> int:
    """Peak memory of a training step beyond what the process holds before.

    Counted are weights with their gradients and Adam's moments; what the backward pass needs of every layer: the
    input of its operator, that of its quantizer where it has one, and its output, which batch norm starts from; and
    the gradients under way at the widest layer.

    Args:
        layers: of the network, as traced.
        batch: images a step.
    """
    weights = sum(layer.weights * ((layer.weight_bits if layer.bases else 1) * STATES + 1) for layer in layers)
    kept = sum(_kept(layer) for layer in layers)
    widest = max(layer.inputs + layer.outputs for layer in layers)
    return VALUE * (weights + batch * (kept + 2 * widest))


def _kept(layer: LayerShape) -> int:
    """Values of one image that the backward pass needs."""
    quantized = layer.bases or layer.activation_bits < FLOAT_BITS
    return layer.inputs * (2 if quantized else 1) + layer.outputs


def free_bytes(device: torch.device) -> int | None:
    """Memory that a process can still have on a device; None where nobody says."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by PyTorch, to be used again
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    return available_memory() if MEMINFO.exists() else None


def check_fits_memory(layers: Sequence[LayerShape], batch: int, device: torch.device) -> None:
    """Raise MemoryError when even the smallest peak that is likely is more than there is."""
    needed, free = training_bytes(layers, batch), free_bytes(device)
    if free is not None and needed / WITHIN > free:
        have = f"{free / 1e9:.2g} GB are free on {device.type}"
        raise MemoryError(f"a training step of {batch} images takes about {needed / 1e9:.2g} GB, {have}")
