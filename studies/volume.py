"""How much of the objective space a set of points dominates (Zitzler and Thiele, 1998)."""

from collections.abc import Sequence

import numpy as np

from studies.pareto import Floats, as_points, non_dominated


def hypervolume(points: Floats, reference: Sequence[float] | Floats) -> float:
    """Volume between the points and the reference; every objective is minimised. Exact.

    Two objectives take a sweep, O(n log n); each further one slices along the last axis, a factor of n.

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
    inside = inside[non_dominated(inside, [False] * corner.size)]
    return _volume(inside, corner) if len(inside) else 0.0


def _volume(points: Floats, corner: Floats) -> float:
    """Volume of n >= 1 points, all below the corner."""
    if corner.size == 1:
        return float(corner[0] - points[:, 0].min())
    return _sweep(points, corner) if corner.size == 2 else _slices(points, corner)


def _sweep(points: Floats, corner: Floats) -> float:
    """Area under a staircase, from left to right; a point above the stairs so far adds a step of height 0."""
    points = points[np.argsort(points[:, 0], kind="stable")]
    stairs = np.minimum.accumulate(points[:, 1])
    ceilings = np.concatenate([corner[1:], stairs[:-1]])
    return float(((corner[0] - points[:, 0]) * (ceilings - stairs)).sum())


def _slices(points: Floats, corner: Floats) -> float:
    """Between two levels of the last objective, the volume is that of the points below, times the height."""
    points = points[np.argsort(points[:, -1], kind="stable")]
    heights = np.diff(points[:, -1], append=corner[-1])
    levels = [i for i in range(len(points)) if heights[i] > 0]
    return sum(float(heights[i]) * _volume(points[: i + 1, :-1], corner[:-1]) for i in levels)
