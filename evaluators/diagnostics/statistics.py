"""Means and shares with their errors."""

import math

from torch import Tensor

Z = 1.959963984540054
"""Standard deviations that hold 95 % of a normal."""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of `hits` in `n` > 0 (Wilson 1927): within [0, 1], of some width even at 0 and 1."""
    share, ratio = hits / n, Z**2 / n
    middle = (share + ratio / 2) / (1 + ratio)
    half = Z * math.sqrt(share * (1 - share) / n + ratio / (4 * n)) / (1 + ratio)
    return (middle - half if hits else 0.0), (middle + half if hits < n else 1.0)


def accuracy_cells(standing: int, n: int) -> tuple[int, int, float, float, float]:
    """The cells standing, images, accuracy, low and high of a table."""
    return (standing, n, standing / n, *wilson(standing, n))


def mean_and_error(values: Tensor) -> tuple[float, float]:
    """The mean of N >= 1 floats and its standard error, 0 for a single one."""
    exact = values.double()
    error = exact.std() / math.sqrt(len(exact)) if len(exact) > 1 else exact.new_zeros(())
    return float(exact.mean()), float(error)
