"""Multi-bit networks M×N (Frickenstein et al. 2023, after ABC-Net, Lin et al. 2017).

Σ_m Σ_n α_m β_n Conv(sign W_m, sign A_n) = Conv(Σ_m α_m sign W_m, Σ_n β_n sign A_n): a convolution is bilinear, so
M·N binary convolutions are simulated as one, whatever M and N are (ABC-Net, eq. 12).
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from evaluators.quantizers.staircase import staircase
from evaluators.quantizers.ste import plain_sign, through_window
from evaluators.quantizers.weights import WeightQuantizer

RIDGE = 1e-4
"""Keeps the least squares solvable when bases coincide (ABC-Net §3.3)."""


def greedy_residual(weight: Tensor, bases: int) -> Tensor:
    """Residuals R_1 = W, R_{m+1} = R_m - mean|R_m|·sign(R_m), means by output channel.

    Args:
        weight: out × ..., float.
        bases: how many, >= 1.
    Returns: bases × out × ...; their signs are the bases, which reach up to 2^M levels.
    """
    residuals = [weight]
    for _ in range(bases - 1):
        last = residuals[-1]
        scale = last.abs().flatten(1).mean(1).view(-1, *[1] * (weight.dim() - 1))
        residuals.append(last - scale * plain_sign(last))
    return torch.stack(residuals)


def least_squares_scales(weight: Tensor, signs: Tensor) -> Tensor:
    """α (bases × out) minimising ||W_o - Σ_m α_mo B_mo||² in each output channel (ABC-Net, eq. 3, ridged)."""
    basis = signs.flatten(2).permute(1, 2, 0)
    gram = basis.mT @ basis / basis.shape[1]
    target = basis.mT @ weight.flatten(1).unsqueeze(2) / basis.shape[1]
    ridge = RIDGE * torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    scales: Tensor = torch.linalg.solve(gram + ridge, target)
    return scales.squeeze(2).T


class MultiBaseWeight(WeightQuantizer):
    """Σ_m α_m·sign(W_m): M latent weights, learned α by base and output channel.

    Gradient: g·α_m·1[|W_m| <= 1] to W_m, Σ g·sign(W_m) to α_m.
    """

    def __init__(self, shape: tuple[int, ...], bases: int) -> None:
        super().__init__(shape, bases)
        self.scale = nn.Parameter(torch.ones(bases, shape[0], *[1] * (len(shape) - 1)))

    @torch.no_grad()
    def load_float(self, weight: Tensor) -> None:
        """Start at the greedy residuals of `weight`, scales by least squares."""
        residuals = greedy_residual(weight, len(self.latent))
        self.latent.copy_(residuals)
        self.scale.copy_(least_squares_scales(weight, plain_sign(residuals)).view_as(self.scale))

    def forward(self) -> Tensor:
        """The effective weight: at most 2^M values in each output channel."""
        return _MultiBaseWeight.apply(self.latent, self.scale)  # type: ignore[no-any-return]


class _MultiBaseWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, latent: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(latent, scale)
        weight = plain_sign(latent[0]).mul_(scale[0])
        for base, alpha in zip(latent[1:], scale[1:], strict=True):
            weight.addcmul_(plain_sign(base), alpha)
        return weight

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, Tensor]:
        latent, scale = ctx.saved_tensors  # type: ignore[attr-defined]
        grad_latent, grad_scale = torch.empty_like(latent), torch.empty_like(scale)
        for m, base in enumerate(latent):
            torch.mul(through_window(grads[0], base), scale[m], out=grad_latent[m])
            signed = plain_sign(base).mul_(grads[0])
            grad_scale[m] = signed.flatten(1).sum(1).view_as(scale[m])
        return grad_latent, grad_scale


class MultiBaseActivation(nn.Module):
    """Σ_n β_n·sign(x + v_n) with learned β and v.

    Gradient: g·Σ_n β_n·1[|x + v_n| <= 1] to x, Σ g·sign(x + v_n) to β_n, Σ g·β_n·1[|x + v_n| <= 1] to v_n.
    It starts with thresholds at the N quantiles of the unit normal that batch norm feeds it, and β = 1/N.
    """

    def __init__(self, bases: int) -> None:
        super().__init__()
        # On the meta device, where shapes are traced, PyTorch would load its compiler for these few values.
        quantiles = torch.arange(1, bases + 1, device="cpu") / (bases + 1)
        self.scale = nn.Parameter(torch.full((bases,), 1.0 / bases))
        self.shift = nn.Parameter(torch.special.ndtri(quantiles).nan_to_num())

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out, at most N + 1 values."""
        scale, shift = self.scale.to(x.dtype), self.shift.to(x.dtype)
        return staircase(x, scale, shift)
