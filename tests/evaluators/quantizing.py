"""What tests of quantizers share: tensors with the edges of every rule among them, and gradients by upstream."""

import math

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

SUBNORMAL = 2.0**-149
BELOW_ONE, ABOVE_ONE = (float(np.nextafter(np.float32(1), np.float32(to))) for to in (0, 2))
EDGES = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, SUBNORMAL, -SUBNORMAL]
EDGES += [sign * value for sign in (1, -1) for value in (1.0, BELOW_ONE, ABOVE_ONE)]

numbers = st.sampled_from(EDGES) | st.floats(-4, 4, width=32)


def tensors(elements: st.SearchStrategy[float] = numbers, min_dims: int = 1) -> st.SearchStrategy[Tensor]:
    """float32 tensors of any small shape."""
    shapes = array_shapes(min_dims=min_dims, max_dims=4, max_side=5)
    return arrays(np.float32, shapes, elements=elements).map(torch.from_numpy)


def upstream_of(x: Tensor) -> Tensor:
    """Gradients from above, all different, of either sign, sums exact."""
    count = x.numel()
    return (torch.arange(count, dtype=x.dtype) - count // 2 + 0.5).view_as(x)


def flat(x: Tensor) -> list[float]:
    """The values as Python floats."""
    return [float(value) for value in x.detach().flatten().tolist()]


def is_nearest(value: float, level: float, step: float) -> bool:
    """Whether no level (a multiple of `step`) is nearer to `value`; at a tie, either is."""
    on_grid = math.isclose(level / step, round(level / step), abs_tol=1e-4)
    return on_grid and abs(value - level) <= step * (0.5 + 1e-4)
