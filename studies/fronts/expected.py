"""How much a point that is known only in part is expected to enlarge a front's hypervolume."""

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from studies.fronts.pareto import Floats

EXACT = 3
"""Objectives up to which the integral is exact; the cells of more are too many, and points are drawn instead."""

SAMPLES = 1024
"""Points of the unit cube that stand for all of it."""

AT_ONCE = 64
"""Points whose gains are found together: tables of more are too large for the processor's cache."""

FAR = 4.0
"""Standard deviations by which nothing is ever off."""

Integral = Callable[[Floats, Floats], Floats]
"""Gains of points by their means and deviations."""

_GRID = np.linspace(-7.0, 7.0, 5601)
_NORMAL = np.array([NormalDist().cdf(at) for at in _GRID])


def expected_gains(front: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Expected hypervolume improvement of each point, on its own (Emmerich, Giannakoglou and Naujoks 2006).

    The gain is the integral, over the part of the unit cube that the front does not dominate, of the probability
    that the point dominates there. That part is cut into cells, in each of which the integral is a product over the
    objectives (as in Yang et al. 2019).

    Args:
        front: f × k losses in [0, 1], any order, dominated ones add nothing; f may be 0. The reference is 1.
        mean: n × k expected losses, the objectives independent of each other.
        deviation: n × k standard deviations, >= 0; 0 where a loss is known.
    Returns: n gains, 0 or more; up to EXACT objectives in closed form, else from SAMPLES points, always the same. What
        would have to be more than FAR deviations better than expected gains nothing.
    """
    gains = np.zeros(len(mean))
    hopeful = ~_dominated(mean - FAR * deviation, front)
    if hopeful.any():
        integral = _over_cells(front) if mean.shape[1] <= EXACT else _over_points(front)
        parts = np.array_split(np.flatnonzero(hopeful), math.ceil(hopeful.sum() / AT_ONCE))
        for part in parts:
            gains[part] = integral(mean[part], deviation[part])
    return gains


def cells(front: Floats) -> tuple[Floats, Floats]:
    """Cut what the front does not dominate of the unit cube into boxes.

    Args:
        front: f × k, in [0, 1].
    Returns: low and high corners, c × k each; the boxes do not overlap.
    """
    if front.shape[1] == 1:
        return np.zeros((1, 1)), np.full((1, 1), front.min(initial=1.0))
    points = front[np.argsort(front[:, -1], kind="stable")]
    levels = np.concatenate([[0.0], points[:, -1], [1.0]])
    if front.shape[1] == 2:
        return _columns(np.minimum.accumulate(np.concatenate([[1.0], points[:, 0]])), levels)
    lows, highs = [], []
    for below, (low, high) in enumerate(pairwise(levels)):
        if high > low:  # within this slab, the points below it dominate
            corners = cells(points[:below, :-1])
            lows.append(_with(corners[0], low))
            highs.append(_with(corners[1], high))
    return np.vstack(lows), np.vstack(highs)


def _columns(reach: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """The cells beside a staircase: from 0 to its reach between two levels, levels of equal reach in one."""
    starts = np.flatnonzero(np.concatenate([[True], reach[1:] < reach[:-1]]))
    low, high = levels[starts], levels[[*starts[1:], -1]]
    return np.column_stack([np.zeros(len(starts)), low]), np.column_stack([reach[starts], high])


def _with(corners: Floats, last: float) -> Floats:
    return np.column_stack([corners, np.full(len(corners), last)])


def _over_cells(front: Floats) -> Integral:
    """The integral over each cell, one after another."""
    corners = [
        np.unique(np.stack(axis), return_inverse=True) for axis in zip(*(one.T for one in cells(front)), strict=True)
    ]

    def integral(mean: Floats, deviation: Floats) -> Floats:
        product = np.ones((1, len(mean)))
        for axis, (levels, places) in enumerate(corners):
            low, high = places.reshape(2, -1)
            below = _expected_below(levels[:, None], mean[:, axis], deviation[:, axis])
            product = product * (below[high] - below[low])
        return np.asarray(product.sum(axis=0), dtype=np.float64)

    return integral


def _over_points(front: Floats) -> Integral:
    """The mean over points that stand for all of the cube."""
    points = np.random.default_rng(0).random((SAMPLES, front.shape[1]))
    points = points[~_dominated(points, front)]

    def integral(mean: Floats, deviation: Floats) -> Floats:
        product = np.ones((len(points), len(mean)))
        for axis in range(mean.shape[1]):
            product *= _probability_below(points[:, axis, None], mean[:, axis], deviation[:, axis])
        return np.asarray(product.sum(axis=0) / SAMPLES, dtype=np.float64)

    return integral


def _dominated(points: Floats, front: Floats) -> NDArray[np.bool_]:
    """Which points are nowhere below a point of the front."""
    beaten = np.ones((len(points), len(front)), dtype=bool)
    for axis in range(points.shape[1]):
        beaten &= front[:, axis] <= points[:, axis, None]
    return np.asarray(beaten.any(axis=1))


def _expected_below(level: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Expected distance of a normal number to a level above it, 0 where it is not below: E max(0, level - X)."""
    distance = level - mean
    if not deviation.any():
        return np.maximum(distance, 0.0)
    scale = np.where(deviation > 0, deviation, 1.0)
    density = np.exp(-((distance / scale) ** 2) / 2) / math.sqrt(2 * math.pi)
    spread = distance * _probability_below(level, mean, scale) + scale * density
    return np.where(deviation > 0, spread, np.maximum(distance, 0.0))


def _probability_below(level: Floats, mean: Floats, deviation: Floats) -> Floats:
    certain = (mean <= level).astype(np.float64)
    if not deviation.any():
        return certain
    scale = np.where(deviation > 0, deviation, 1.0)
    return np.where(deviation > 0, np.interp((level - mean) / scale, _GRID, _NORMAL), certain)
