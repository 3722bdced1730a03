"""What every weight quantizer is: latent tensors that are trained, an effective weight that is used."""

import torch
from torch import Tensor, nn

from evaluators.quantizers.companding import compress


class WeightQuantizer(nn.Module):
    """Turns trained latent weights into the effective weight of a layer.

    Attributes:
        latent: bases × shape, float; one base unless a subclass says otherwise.
        clips_latent: whether training keeps the latent weights in [-1, 1].
    """

    clips_latent = False

    def __init__(self, shape: tuple[int, ...], bases: int = 1) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.zeros(bases, *shape))

    @property
    def shape(self) -> torch.Size:
        """Shape of the effective weight: out × in [× height × width]."""
        return self.latent.shape[1:]

    @property
    def kept(self) -> int:
        """How many weights are not removed."""
        return self.shape.numel()

    @torch.no_grad()
    def load_float(self, weight: Tensor) -> None:
        """Take `weight` (of this shape) as the float weight to be approximated."""
        self.latent[0].copy_(weight)

    def float_weight(self) -> Tensor:
        """The float weight behind the latent ones; what a warm start copies."""
        return self.latent[0].detach()

    def forward(self) -> Tensor:
        """The effective weight, of `shape`, differentiable in the latent weights."""
        return self.latent[0]

    def mapped(self, mu: float) -> Tensor:
        """The effective weight after μ-law compression; `mu` 0 is none."""
        return compress(self(), mu)


class FloatWeight(WeightQuantizer):
    """float32: the effective weight is the latent one."""
