"""What a topology is given to build itself: image shape, classes, width."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The sizes a network is built for.

    Attributes:
        shape: channels, height, width of an image.
        classes: how many, >= 2.
        width: multiplies the channels of every hidden layer.
    """

    shape: tuple[int, int, int]
    classes: int
    width: float = 1.0

    def channels(self, count: int) -> int:
        """`count` channels at this width; at least one."""
        return max(1, round(count * self.width))
