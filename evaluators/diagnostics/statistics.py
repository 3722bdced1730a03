"""Means and shares with their errors."""

import math

from torch import Tensor

from evaluators.base import Measurement


def accuracy_cells(standing: int, n: int) -> tuple[int, int, float, float, float]:
    """The cells standing, images, accuracy, low and high of a table; the last two are its 95 % interval."""
    accuracy = Measurement.fraction(standing, n)
    return (standing, n, accuracy.value, *accuracy.interval)


def mean_and_error(values: Tensor) -> tuple[float, float]:
    """The mean of N >= 1 floats and its standard error, 0 for a single one."""
    exact = values.double()
    error = exact.std() / math.sqrt(len(exact)) if len(exact) > 1 else exact.new_zeros(())
    return float(exact.mean()), float(error)
