"""The μ-law compression of weights (Song, Fallon, Li 2020; the curve is that of ITU-T G.711)."""

import math

import torch
from torch import Tensor


def compress(weight: Tensor, mu: float) -> Tensor:
    """m·sgn(w)·ln(1 + μ|w|/m) / ln(1 + μ) with m = max|w|: stretches small weights, keeps 0 and ±m.

    Args:
        weight: any shape, float.
        mu: >= 0; 0 is the identity.
    Returns: the same shape; odd and increasing in w.
    """
    if mu == 0:
        return weight
    peak = weight.abs().amax().clamp_min(torch.finfo(weight.dtype).tiny)
    return peak * weight.sign() * torch.log1p(mu * weight.abs() / peak) / math.log1p(mu)
