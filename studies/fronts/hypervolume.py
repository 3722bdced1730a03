"""How much of the objective space a set of points dominates (Zitzler and Thiele, 1998)."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from studies.fronts.pareto import Floats, as_points, non_dominated

SWEPT = 3
"""Objectives up to which dominated points are left to the sweep, which passes over them."""


def hypervolume(points: Floats, reference: Sequence[float] | Floats) -> float:
    """Volume between the points and the reference; every objective is minimised. Exact.

    Two and three objectives take a sweep, O(n log n); each further one slices along the last axis, a factor of n.

    Args:
        points: n x k, k >= 1; a point that is not below the reference everywhere adds nothing. n may be 0.
        reference: k finite numbers, the worst corner.
    Returns: 0 or more, in the product of the units.
    Raises: ValueError for NaN, infinities, or when the shapes do not agree.
    """
    corner = np.asarray(reference, dtype=np.float64)
    if corner.ndim != 1 or corner.size == 0:
        raise ValueError(f"expected a reference of shape k, k >= 1, got {corner.shape}")
    points = as_points(points, corner.size)
    if not (np.isfinite(points).all() and np.isfinite(corner).all()):
        raise ValueError("the hypervolume needs finite points and a finite reference")
    inside = points[(points < corner).all(axis=1)]
    if corner.size > SWEPT:
        inside = inside[non_dominated(inside, [False] * corner.size)]
    return _volume(inside, corner) if len(inside) else 0.0


def _volume(points: Floats, corner: Floats) -> float:
    """Volume of n >= 1 points, all below the corner."""
    if corner.size == 1:
        return float(corner[0] - points[:, 0].min())
    if corner.size == 2:
        return _sweep(points, corner)
    return _rise(points, corner) if corner.size == SWEPT else _slices(points, corner)


def _sweep(points: Floats, corner: Floats) -> float:
    """Area under a staircase, from left to right; a point above the stairs so far adds a step of height 0."""
    points = points[np.argsort(points[:, 0], kind="stable")]
    stairs = np.minimum.accumulate(points[:, 1])
    ceilings = np.concatenate([corner[1:], stairs[:-1]])
    return float(((corner[0] - points[:, 0]) * (ceilings - stairs)).sum())


def _rise(points: Floats, corner: Floats) -> float:
    """Rise along the third objective while the area below grows (Fonseca, Paquete and López-Ibáñez, 2006)."""
    stairs = _Stairs(float(corner[0]), float(corner[1]))
    volume = area = 0.0
    order = np.argsort(points[:, 2], kind="stable")
    heights = np.diff(points[order, 2], append=corner[2])
    # Plain floats: every step touches a few numbers only, for which arrays are slow.
    for (x, y, _), height in zip(points[order].tolist(), heights.tolist(), strict=True):
        area += stairs.add(x, y)
        volume += area * height
    return volume


class _Stairs:
    """A staircase in the plane that points are added to: corners by rising x and falling y, between two sentinels."""

    def __init__(self, right: float, top: float) -> None:
        self._xs, self._ys = [-math.inf, right], [top, -math.inf]

    def add(self, x: float, y: float) -> float:
        """Put in a point left of and below the corner; returns the area that it adds, 0 where it is covered."""
        xs, ys = self._xs, self._ys
        after = bisect_right(xs, x)
        if ys[after - 1] <= y:
            return 0.0
        first = last = bisect_left(xs, x)
        area, left, top = 0.0, x, ys[first - 1]
        while ys[last] >= y:
            area += (xs[last] - left) * (top - y)
            left, top = xs[last], ys[last]
            last += 1
        area += (xs[last] - left) * (top - y)
        xs[first:last], ys[first:last] = [x], [y]
        return area


def _slices(points: Floats, corner: Floats) -> float:
    """Between two levels of the last objective, the volume is that of the points below, times the height."""
    points = points[np.argsort(points[:, -1], kind="stable")]
    heights = np.diff(points[:, -1], append=corner[-1])
    levels = [i for i in range(len(points)) if heights[i] > 0]
    return sum(float(heights[i]) * _volume(points[: i + 1, :-1], corner[:-1]) for i in levels)
