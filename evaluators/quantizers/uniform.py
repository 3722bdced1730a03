"""Uniform fixed-point quantizers: DoReFa-Net (Zhou et al. 2016) and PACT (Choi et al. 2018)."""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from evaluators.quantizers import kernels
from evaluators.quantizers.ste import plain_sign, round_through
from evaluators.quantizers.weights import WeightQuantizer

PACT_CLIP = 3.0
"""Start of the learned clip: batch norm feeds it unit variance, where the papers' 8 or 10 would waste most levels."""


SMALLEST_CLIP = 1e-3
"""Keeps the step of a clip that training has driven to zero finite."""


def quantize_unit(x: Tensor, bits: int) -> Tensor:
    """q_k(x) = round((2^k - 1)·x) / (2^k - 1) for x in [0, 1]; gradient g (DoReFa-Net, eq. 5).

    >>> quantize_unit(torch.tensor([0.0, 0.2, 0.6, 1.0]), bits=2)
    tensor([0.0000, 0.3333, 0.6667, 1.0000])
    """
    levels = 2**bits - 1
    unit: Tensor = round_through(x * levels) / levels
    return unit


def dorefa_weight(weight: Tensor, bits: int) -> Tensor:
    """w_k = 2·q_k(tanh(w) / (2 max|tanh w|) + 1/2) - 1, in [-1, 1] (DoReFa-Net, eq. 9).

    The maximum is a constant to the gradient, so dw_k/dw = (1 - tanh²(w)) / max|tanh w|.
    One bit is sign(w)·mean|w| with the identity as gradient, the mean a constant (DoReFa-Net, eq. 7-8).
    """
    if bits == 1:
        binary = plain_sign(weight.detach()) * weight.detach().abs().mean()
        return binary + (weight - weight.detach())
    squashed = weight.tanh()
    peak = squashed.detach().abs().amax().clamp_min(torch.finfo(weight.dtype).tiny)
    return 2 * quantize_unit(squashed / (2 * peak) + 0.5, bits) - 1


class DoReFaWeight(WeightQuantizer):
    """DoReFa weights of `bits` bits from one latent tensor; PACT uses them too."""

    def __init__(self, shape: tuple[int, ...], bits: int) -> None:
        super().__init__(shape)
        self.bits = bits

    def forward(self) -> Tensor:
        """The effective weight, in [-1, 1]."""
        return dorefa_weight(self.latent[0], self.bits)


class DoReFaActivation(nn.Module):
    """a_k = q_k(clip(a, 0, 1)); gradient g·1[0 <= a <= 1] (DoReFa-Net, eq. 11)."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.levels = 2**bits - 1

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape in [0, 1] out."""
        return _UnitStaircase.apply(x, self.levels)  # type: ignore[no-any-return]


class _UnitStaircase(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, levels: int) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1).mul_(levels).round_().div_(levels)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        limits = torch.finfo(x.dtype)  # the kernel's window is open, the rule's is closed
        below_zero = -limits.tiny * limits.eps  # the largest number below 0
        return torch.ops.aten.hardtanh_backward(grads[0], x, below_zero, 1 + limits.eps), None


class PactActivation(nn.Module):
    """y = clip(x, 0, a) quantized to `bits` bits with a learned clip a (PACT, eq. 1-3).

    Gradient: g·1[0 < x < a] to x, Σ g·1[x >= a] to a.
    """

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.levels = 2**bits - 1
        self.clip = nn.Parameter(torch.tensor(PACT_CLIP))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape in [0, clip] out."""
        return _PactStaircase.apply(x, self.clip, self.levels)  # type: ignore[no-any-return]


class _PactStaircase(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, clip: Tensor, levels: int) -> Tensor:
        clip = clip.clamp_min(SMALLEST_CLIP)
        ctx.save_for_backward(x, clip)
        if not kernels.suit(x):
            return (x * (levels / clip)).clamp_(0, levels).round_().mul_(clip / levels).to(x.dtype)
        out, values = kernels.empty(x)
        kernels.levels(kernels.flat(x, x), clip.to(x.dtype), levels, values)
        return out

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, Tensor | None, None]:
        x, clip = ctx.saved_tensors  # type: ignore[attr-defined]
        if kernels.suit(x) and not torch.is_grad_enabled():
            out, values = kernels.empty(x)
            grad = kernels.flat(grads[0], x)
            above = kernels.clipped(grad, kernels.flat(x, x), clip.to(x.dtype), values)
            return out, above.to(clip.dtype), None
        grad, unit = grads[0], x / clip
        grad_x = torch.ops.aten.hardtanh_backward(grad, unit, 0.0, 1.0)
        if not ctx.needs_input_grad[1]:  # type: ignore[attr-defined]
            return grad_x, None, None
        below_one = 1 - torch.finfo(unit.dtype).eps / 2
        return grad_x, torch.ops.aten.threshold_backward(grad, unit, below_one).sum().to(clip.dtype), None
