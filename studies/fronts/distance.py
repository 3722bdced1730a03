"""How far a set of points is from a reference front; every objective is minimised, 0 is as good as the front."""

import math

import numpy as np

from studies.fronts.pareto import Floats, as_points


def igd_plus(points: Floats, reference: Floats) -> float:
    """Mean over the reference of the distance to the region that the points dominate (Ishibuchi et al., 2015: IGD+).

    Only what a point is worse by counts, so that a set which dominates another is never further away.

    Args:
        points: n x k, finite; n may be 0.
        reference: r x k, finite, r >= 1.
    Returns: 0 or more, in the unit of the objectives; infinity without points.
    Raises: ValueError for NaN, or when the shapes do not agree.
    """
    points, reference = _checked(points, reference)
    if not len(points):
        return math.inf
    squares = np.zeros((len(reference), len(points)))
    for mine, theirs in zip(points.T, reference.T, strict=True):
        squares += np.maximum(mine - theirs[:, None], 0.0) ** 2
    return float(np.sqrt(squares.min(axis=1)).mean())


def additive_epsilon(points: Floats, reference: Floats) -> float:
    """Least amount that, taken off every objective of the points, lets them cover the reference (Zitzler et al., 2003).

    Args:
        points: n x k, finite; n may be 0.
        reference: r x k, finite, r >= 1.
    Returns: the amount, below 0 if the points are better everywhere; infinity without points.
    Raises: ValueError for NaN, or when the shapes do not agree.
    """
    points, reference = _checked(points, reference)
    if not len(points):
        return math.inf
    worst = np.full((len(reference), len(points)), -math.inf)
    for mine, theirs in zip(points.T, reference.T, strict=True):
        worst = np.maximum(worst, mine - theirs[:, None])
    return float(worst.min(axis=1).max())


def _checked(points: Floats, reference: Floats) -> tuple[Floats, Floats]:
    reference = np.asarray(reference, dtype=np.float64)
    if reference.ndim != 2 or reference.size == 0:
        raise ValueError(f"expected a reference of shape r x k, r and k >= 1, got {reference.shape}")
    width = reference.shape[1]
    return as_points(points, width), as_points(reference, width)
