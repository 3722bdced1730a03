"""The set an attacker may move in: an l∞ ball around the image, cut by the pixel range."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ball:
    """Images between `low` and `high`, both of the shape of the image, so that projection is one clamp.

    The bounds are rounded inwards: |x' - x| <= ε and 0 <= x' <= 1 hold exactly, not up to rounding.
    """

    low: Tensor
    high: Tensor

    @classmethod
    def around(cls, images: Tensor, epsilon: float) -> Self:
        """The ball of radius `epsilon` around float32 images in [0, 1]."""
        exact = images.double()
        low, high = (exact - epsilon).clamp_min(0), (exact + epsilon).clamp_max(1)
        inwards = torch.tensor([torch.inf, -torch.inf], dtype=images.dtype, device=images.device)
        low32, high32 = low.to(images.dtype), high.to(images.dtype)
        return cls(
            torch.where(low32.double() < low, low32.nextafter(inwards[0]), low32),
            torch.where(high32.double() > high, high32.nextafter(inwards[1]), high32),
        )

    def __getitem__(self, index: Tensor) -> "Ball":
        """The balls of some of the images."""
        return Ball(self.low[index], self.high[index])

    def project(self, images: Tensor) -> Tensor:
        """The nearest point of the ball."""
        return images.clamp(self.low, self.high)
