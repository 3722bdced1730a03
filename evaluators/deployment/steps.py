"""What stands between two layers of a deployed network: batch norm and quantized activations in ordinary operations.

Batch norm with fixed statistics is a·x + b by channel. Before a step it needs no arithmetic at all: sign(a·x + b + v)
is a comparison of x with -(b + v)/a, which turns round where a is negative.
"""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evaluators.quantizers.bases import MultiBaseActivation
from evaluators.quantizers.binary import SignActivation
from evaluators.quantizers.uniform import SMALLEST_CLIP, DoReFaActivation, PactActivation


class Bins(nn.Module):
    """Pixels at the centre of their bin, as `evaluators.quantizers.pixels.discretise` leaves them; 1 to 7 bits."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.width = 256 / 2**bits

    def forward(self, pixels: Tensor) -> Tensor:
        """Any shape in [0, 1] in, the same shape in [0, 1] out."""
        bins = (pixels * 255 + 1e-3).div(self.width).floor()
        centres: Tensor = (bins * self.width + self.width / 2) / 255
        return centres


class Affine(nn.Module):
    """a·x + b by channel: what is left of a batch norm whose statistics are fixed.

    Attributes:
        scale, shift: a and b, C×1×1 or C, float32.
    """

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", scale.float())
        self.register_buffer("shift", shift.float())

    @classmethod
    def of(cls, norm: _BatchNorm) -> Self:
        """The same function as `norm` in eval mode; divided and subtracted in double precision."""
        assert norm.running_mean is not None and norm.running_var is not None
        ones = (1, 1) if isinstance(norm, nn.BatchNorm2d) else ()
        mean, variance = norm.running_mean.double(), norm.running_var.double()
        scale = norm.weight.double() / (variance + norm.eps).sqrt()
        shift = norm.bias.double() - mean * scale
        return cls(scale.view(-1, *ones).cpu(), shift.view(-1, *ones).cpu())

    def forward(self, x: Tensor) -> Tensor:
        """N×C… in, the same shape out."""
        return x * self.scale + self.shift


UNCHANGED = Affine(torch.ones(1), torch.zeros(1))
"""What stands before an activation that no batch norm precedes."""


class Steps(nn.Module):
    """Σ_n h_n·sign(a·x + b + v_n) with sign(0) = +1: the signs of BinaryNet, XNOR-Net and multi-bit networks.

    Attributes:
        heights: h, N floats.
        direction: sign of a by channel, -1, 0 or 1.
        thresholds: N by channel, of x times its direction; -∞ or ∞ where a is 0 and the sign does not depend on x.
    """

    def __init__(self, heights: Tensor, shifts: Tensor, before: Affine) -> None:
        super().__init__()
        scale, shift = before.scale.double(), before.shift.double()
        offsets = shift + shifts.double().view(-1, *[1] * scale.dim())
        never = torch.where(offsets >= 0, -torch.inf, torch.inf)
        thresholds = torch.where(scale == 0, never, -offsets / scale.abs())
        self.heights: Tensor
        self.direction: Tensor
        self.thresholds: Tensor
        self.register_buffer("heights", heights.float().clone())
        self.register_buffer("direction", scale.sign().float())
        self.register_buffer("thresholds", thresholds.float())

    def forward(self, x: Tensor) -> Tensor:
        """N×C… in, the same shape out; summed from the first threshold to the last, as in training."""
        x = x * self.direction
        parts = [
            torch.where(x >= threshold, height, -height)
            for height, threshold in zip(self.heights, self.thresholds, strict=True)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


class Levels(nn.Module):
    """round(clip(a·x + b, 0, L)) times a step, or divided by L: the activations of PACT and DoReFa.

    Attributes:
        highest: L = 2^k - 1.
        scale, shift: a and b by channel, in units of the step.
        step: distance of two levels; None where levels are divided by L, which does not round as a product would.
    """

    def __init__(self, highest: int, before: Affine, *, per_unit: Tensor, step: Tensor | None) -> None:
        super().__init__()
        self.highest = highest
        self.scale: Tensor
        self.shift: Tensor
        self.step: Tensor | None
        self.register_buffer("scale", (before.scale.double() * per_unit).float())
        self.register_buffer("shift", (before.shift.double() * per_unit).float())
        self.register_buffer("step", step)

    def forward(self, x: Tensor) -> Tensor:
        """N×C… in, the same shape out; halves are rounded to even."""
        levels = (x * self.scale + self.shift).clamp(0, self.highest).round()
        return levels / self.highest if self.step is None else levels * self.step


def activated(activation: nn.Module, before: Affine = UNCHANGED) -> nn.Module | None:
    """One module for an affine map and the quantized activation after it; None where the activation quantizes nothing.

    Its values are the activation's own: on the processor, wherever those are.
    """
    match activation:
        case SignActivation():
            return Steps(torch.ones(1), torch.zeros(1), before)
        case MultiBaseActivation():
            return Steps(activation.scale.detach().cpu(), activation.shift.detach().cpu(), before)
        case PactActivation(levels=levels):
            clip = activation.clip.detach().cpu().clamp_min(SMALLEST_CLIP)
            return Levels(levels, before, per_unit=levels / clip, step=clip / levels)
        case DoReFaActivation(levels=levels):
            return Levels(levels, before, per_unit=torch.tensor(levels), step=None)
    return None
