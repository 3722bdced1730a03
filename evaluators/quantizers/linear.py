"""Linear quantization of trained weights (post-training), as Song, Fallon and Li apply it."""

import torch
from torch import Tensor

from evaluators.quantizers.companding import compress
from evaluators.quantizers.ste import round_through
from evaluators.quantizers.weights import WeightQuantizer


def linear_weight(weight: Tensor, bits: int) -> Tensor:
    """round(w/Δ)·Δ with Δ = max|w| / (2^(k-1) - 1): symmetric, 0 and ±max|w| are kept; gradient g.

    Args:
        weight: any shape, float; one step for the whole tensor.
        bits: k, 2 to 8.
    Returns: the same shape, at most 2^k - 1 values.

    >>> linear_weight(torch.tensor([-1.0, -0.3, 0.1, 0.9]), bits=3)
    tensor([-1.0000, -0.3333,  0.0000,  1.0000])
    """
    levels = 2 ** (bits - 1) - 1
    step = weight.detach().abs().amax().clamp_min(torch.finfo(weight.dtype).tiny) / levels
    quantized: Tensor = round_through(weight / step) * step
    return quantized


class LinearWeight(WeightQuantizer):
    """A trained weight, quantized as it is read; whatever maps it does so before."""

    def __init__(self, shape: tuple[int, ...], bits: int) -> None:
        super().__init__(shape)
        self.bits = bits

    def forward(self) -> Tensor:
        """The effective weight."""
        return linear_weight(self.latent[0], self.bits)

    def mapped(self, mu: float) -> Tensor:
        """The mapped weight quantized: the mapping makes a network, and quantization takes it as it finds it."""
        return linear_weight(compress(self.latent[0], mu), self.bits)
