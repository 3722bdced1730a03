"""Input discretization (Panda, Chakraborty, Roy 2019)."""

from torch import Tensor, nn


def discretise(pixels: Tensor, bits: int) -> Tensor:
    """Move pixels to the centre of their bin: floor(I/Δ)·Δ + Δ/2 with Δ = 256 / 2^k, I = 255·x; 8 bits is the identity.

    The straight-through gradient is g: it is the attacker's, who knows the discretizer.

    Args:
        pixels: any shape, in [0, 1].
        bits: 1 to 8.
    Returns: the same shape; at most 2^bits values.
    """
    if bits == 8:
        return pixels
    width = 256 / 2**bits
    # 1e-3 of a grey level: k/255 in float32, times 255, may fall just below k
    bins = (pixels.detach() * 255 + 1e-3).div(width).floor()
    centres: Tensor = (bins * width + width / 2) / 255
    return centres + (pixels - pixels.detach())  # exactly the centre: what is added is 0


class PixelDiscretizer(nn.Module):
    """`discretise` as the first layer of a network."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, pixels: Tensor) -> Tensor:
        """N×C×H×W in [0, 1] in, the same shape in [0, 1] out."""
        return discretise(pixels, self.bits)
