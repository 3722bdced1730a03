"""One-bit quantizers: BinaryNet (Hubara et al. 2016) and XNOR-Net (Rastegari et al. 2016)."""

from torch import Tensor, nn

from evaluators.quantizers.ste import plain_sign, sign
from evaluators.quantizers.weights import WeightQuantizer


class BinaryNetWeight(WeightQuantizer):
    """sign(W); gradient g·1[|W| <= 1]; training clips W to [-1, 1] (BinaryNet, algorithm 1)."""

    clips_latent = True

    def forward(self) -> Tensor:
        """The effective weight, in {-1, +1}."""
        return sign(self.latent[0])


class XnorWeight(WeightQuantizer):
    """α_o·sign(W_o) with α_o = mean|W_o| over each output channel o (XNOR-Net, eq. 6).

    The gradient is the product rule: through sign by g·α_o·1[|W| <= 1], through α_o by sign(W)·Σ g·sign(W) / n.
    """

    def forward(self) -> Tensor:
        """The effective weight: one magnitude an output channel."""
        weight = self.latent[0]
        magnitude = weight * plain_sign(weight.detach())  # as abs(), whose gradient at 0 is another
        scale = magnitude.flatten(1).mean(1)
        return sign(weight) * scale.view(-1, *[1] * (weight.dim() - 1))


class SignActivation(nn.Module):
    """sign(x) in {-1, +1}; gradient g·1[|x| <= 1]."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        return sign(x)
