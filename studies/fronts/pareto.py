"""Which points nothing else beats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def non_dominated(points: Floats, maximize: Sequence[bool]) -> NDArray[np.bool_]:
    """Mark the points that no other point dominates: at least as good everywhere, better somewhere.

    Args:
        points: n x k, any finite or infinite float; equal points are all kept. n may be 0.
        maximize: k directions, whether more is better.
    Returns: n booleans.
    Raises: ValueError for NaN or when the shapes do not agree.
    """
    points = as_points(points, len(maximize))
    losses = np.where(np.asarray(maximize, dtype=bool), -points, points)
    unique, inverse = np.unique(losses, axis=0, return_inverse=True)
    keep = np.ones(len(unique), dtype=bool)
    # Sorted by the first column, a point can only be dominated by one before it.
    for i in range(1, len(unique)):
        keep[i] = not (unique[:i][keep[:i]] <= unique[i]).all(axis=1).any()
    return keep[inverse.reshape(-1)]


def as_points(points: Any, width: int) -> Floats:
    """Return `points` as an n x `width` float array; ValueError for another shape or NaN."""
    array = np.asarray(points, dtype=np.float64)
    if array.size == 0:
        array = array.reshape(0, width)
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(f"expected points of shape n x {width}, got {array.shape}")
    if np.isnan(array).any():
        raise ValueError("points contain NaN, which nothing can be compared with")
    return array
