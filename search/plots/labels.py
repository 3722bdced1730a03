"""Where the numbers beside the points go: no two collide, and none covers a point while there is room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

RADII = (1.0, 1.5, 2.2, 3.0, 4.0, 5.5, 7.5, 10.0, 13.0)
"""How far a label may move from its point, in units of the nearest place it may take."""
SIXTEENTHS = (2, 6, 14, 10, 0, 4, 8, 12, 1, 3, 5, 7, 9, 11, 13, 15)
"""Directions in the order they are tried, in sixteenths of a turn: diagonals, sides, in between."""
COLLISION, OUTSIDE = 1e6, 1e4


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> "Box":
        """The box with this middle."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @classmethod
    def between(cls, one: tuple[float, float], other: tuple[float, float]) -> "Box":
        """The box around a line that runs along an axis, two pixels thick."""
        (x0, x1), (y0, y1) = sorted((one[0], other[0])), sorted((one[1], other[1]))
        return cls(x0 - 1, y0 - 1, x1 + 1, y1 + 1)

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def overlap(self, other: "Box") -> float:
        """Area that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, wide) * max(0.0, high)

    def holds(self, other: "Box") -> bool:
        """Whether `other` lies inside."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.bottom <= other.bottom and other.top <= self.top


@dataclass(frozen=True)
class Obstacle:
    """Something a label should not cover, and how bad it would be (a label's first move away costs 0.5)."""

    box: Box
    weight: float


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label to be placed, all in pixels.

    Attributes:
        anchor: middle of its point.
        size: width and height, > 0.
        gap: from the point's middle to the label's nearest edge, if it need not move.
    """

    anchor: tuple[float, float]
    size: tuple[float, float]
    gap: float


def place(
    labels: Sequence[Label],
    obstacles: Sequence[Obstacle],
    bounds: Box,
) -> list[Box]:
    """Find a box for every label, one after the other, each at the best place still free.

    Args:
        labels: the first ones choose first.
        obstacles: what should stay visible (markers, error bars).
        bounds: where labels may lie.
    Returns: one box per label, in order; deterministic.
    """
    placed: list[Box] = []
    crowd = _Crowd.of(obstacles)
    for label in labels:
        best, least = None, float("inf")
        for reach, box in _places(label):
            if reach >= least:
                break  # nothing further away can be better
            badness = reach + _badness(box, placed, crowd, bounds)
            if badness < least:
                best, least = box, badness
        if best is not None:
            placed.append(best)
    return placed


def distance(anchor: tuple[float, float], box: Box) -> float:
    """From a point to the nearest pixel of a box; 0 inside."""
    x, y = anchor
    return hypot(max(box.left - x, 0.0, x - box.right), max(box.bottom - y, 0.0, y - box.top))


def _places(label: Label) -> Iterator[tuple[float, Box]]:
    """Every place a label may take, with how undesirable its distance is."""
    (x, y), (width, height) = label.anchor, label.size
    for radius in RADII:
        for sixteenth in SIXTEENTHS:
            angle = sixteenth * pi / 8
            dx = (width / 2 + label.gap * radius) * cos(angle)
            dy = (height / 2 + label.gap * radius) * sin(angle)
            yield radius, Box.around(x + dx, y + dy, width, height)


@dataclass(frozen=True, eq=False)
class _Crowd:
    """All obstacles at once: there are hundreds, and each label tries dozens of places."""

    left: NDArray[np.float64]
    bottom: NDArray[np.float64]
    right: NDArray[np.float64]
    top: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, obstacles: Sequence[Obstacle]) -> "_Crowd":
        rows = [(one.box.left, one.box.bottom, one.box.right, one.box.top, one.weight) for one in obstacles]
        return cls(*np.array(rows, dtype=np.float64).reshape(-1, 5).T)

    def covered(self, box: Box) -> float:
        """Weight of those that the box overlaps."""
        across = (self.left < box.right) & (box.left < self.right)
        return float(self.weight[across & (self.bottom < box.top) & (box.bottom < self.top)].sum())


def _badness(box: Box, placed: Sequence[Box], crowd: _Crowd, bounds: Box) -> float:
    """0 for a free place; a collision of labels outweighs leaving the panel, that covering things."""
    collisions = sum(box.overlap(other) > 0 for other in placed)
    return COLLISION * collisions + OUTSIDE * (not bounds.holds(box)) + crowd.covered(box)
