"""Weights of which the smallest are removed."""

import torch
from torch import Tensor

from evaluators.quantizers.weights import WeightQuantizer


def largest(magnitude: Tensor, count: int) -> Tensor:
    """Which `count` values of a flat tensor are the largest: N booleans; of equal ones the first."""
    order = torch.argsort(magnitude, descending=True, stable=True)
    chosen = torch.zeros_like(magnitude, dtype=torch.bool)
    chosen[order[:count]] = True
    return chosen


class PrunedWeight(WeightQuantizer):
    """float32 with a fixed share of weights at zero: those that were smallest when the float weight was loaded.

    Attributes:
        mask: of the weight's shape; 1 where a weight is kept.
    """

    def __init__(self, shape: tuple[int, ...], percent: int) -> None:
        super().__init__(shape)
        self.percent = percent
        self.mask: Tensor
        self.register_buffer("mask", torch.ones(shape))

    @property
    def kept(self) -> int:
        """How many weights are left: at least one."""
        count = self.shape.numel()
        return max(1, count - round(count * self.percent / 100))

    @torch.no_grad()
    def load_float(self, weight: Tensor) -> None:
        """Take `weight`, and keep its largest values."""
        super().load_float(weight)
        self.mask.copy_(largest(weight.abs().flatten(), self.kept).view(self.shape))

    def forward(self) -> Tensor:
        """The effective weight; removed weights get no gradient."""
        return self.latent[0] * self.mask
