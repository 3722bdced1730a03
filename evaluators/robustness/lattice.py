"""What a network with discretized input can tell apart within the attacker's ball: a lattice of bins."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """The bins of each pixel within the ball; images of the ball that agree in all of them are one to the network.

    Bins are found by the network's own discretizer, which is monotone in float32, rounding and all. So a pixel is in
    the bins of its two bounds or between, and it reaches all of those, each being far wider than the gaps of float32.

    Attributes:
        ball: the bounds of each pixel.
        origin: the images the ball is around: N×C×H×W.
        lowest: the centre of each pixel's lowest bin, in [0, 1].
        levels: bins that each pixel reaches, >= 1, float64; without a discretizer, infinite where a pixel may move.
        own: which of them the origin is in, counted from 0.
        width: of a bin, in [0, 1]; 0 without a discretizer.
    """

    ball: Ball
    origin: Tensor
    lowest: Tensor
    levels: Tensor
    own: Tensor
    width: float

    @classmethod
    @torch.no_grad()
    def around(cls, model: Ensemble, images: Tensor, epsilon: float) -> Self:
        """The lattice of the ball of radius `epsilon` around float32 images in [0, 1]: the very ball of the attacks."""
        ball, bits = Ball.around(images, epsilon), input_bits(model)
        if bits == 8:
            own = torch.zeros_like(images, dtype=torch.float64)
            levels = torch.where(ball.low < ball.high, torch.inf, own + 1)
            return cls(ball=ball, origin=images, lowest=ball.low, levels=levels, own=own, width=0.0)
        width = 256 / 2**bits / 255
        lowest, seen, highest = (model.discretise(each) for each in (ball.low, images, ball.high))
        levels = 1 + ((highest - lowest).double() / width).round()
        own = ((seen - lowest).double() / width).round()
        return cls(ball=ball, origin=images, lowest=lowest, levels=levels, own=own, width=width)

    @property
    def free(self) -> Tensor:
        """How many pixels of each image may change their bin, without a discretizer all that may move: N integers."""
        return (self.levels > 1).flatten(1).sum(1)

    @property
    def sizes(self) -> Tensor:
        """Points of the lattice of each image, the product of its levels: N float64, exact below 2**53."""
        return self.levels.flatten(1).prod(1)

    def points(self, which: Tensor, numbers: Tensor) -> Tensor:
        """An image of the ball for each point asked for; a pixel that need not change its bin keeps its value.

        Args:
            which: M indices of images with lattices of less than 2**53 points.
            numbers: M integers: which point of its image's lattice, from 0.
        Returns: M×C×H×W.
        """
        levels = self.levels[which].flatten(1).long()
        strides = levels.cumprod(1) // levels
        digits = (numbers.unsqueeze(1) // strides % levels).view_as(self.origin[which])
        centres = self.lowest[which] + self.width * digits
        return torch.where(digits == self.own[which], self.origin[which], self.ball[which].project(centres))


def input_bits(model: Ensemble) -> int:
    """Bits that all members discretize their input to; 8 where one does not, or they differ."""
    bits = {int(getattr(getattr(member, "discretizer", None), "bits", 8)) for member in model.members}
    return bits.pop() if len(bits) == 1 else 8
