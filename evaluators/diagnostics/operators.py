"""Layers as the linear operators they are, and the operators' norms."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor
from torch.nn.grad import conv2d_input

from evaluators.quantizers.layers import QuantConv2d, QuantLayer

Shape = tuple[int, ...]

DENSE = 32
"""Up to this many rows or columns, a matrix is written out."""

TOLERANCE = 1e-9
"""Relative, of the squared singular value."""


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A matrix.

    Attributes:
        weight: out × in, float64.
    """

    weight: Tensor

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """Of what goes in and of what comes out."""
        return self.weight.shape[1:], self.weight.shape[:1]

    def forward(self, x: Tensor) -> Tensor:
        """N×in in, N×out out."""
        return functional.linear(x, self.weight)

    def adjoint(self, y: Tensor) -> Tensor:
        """N×out in, N×in out: the transposed matrix."""
        return functional.linear(y, self.weight.T)


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution of images of one size, padded with zeros, as a matrix that is never written out.

    Attributes:
        weight: out × in × height × width, float64.
        size: height and width of what goes in.
        stride: of both axes.
        padding: pixels before and after each axis.
    """

    weight: Tensor
    size: tuple[int, int]
    stride: int = 1
    padding: tuple[int, int] = (0, 0)

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """Of what goes in and of what comes out."""
        out, channels, *kernel = self.weight.shape
        sides = ((side - extent) // self.stride + 1 for side, extent in zip(self._padded_size, kernel, strict=True))
        return (channels, *self.size), (out, *sides)

    def forward(self, x: Tensor) -> Tensor:
        """N×in×H×W in, N×out×H'×W' out."""
        return functional.conv2d(functional.pad(x, self.padding * 2), self.weight, stride=self.stride)

    def adjoint(self, y: Tensor) -> Tensor:
        """N×out×H'×W' in, N×in×H×W out: the transposed matrix."""
        padded = (len(y), self.weight.shape[1], *self._padded_size)
        x = conv2d_input(padded, self.weight, y, stride=self.stride)  # type: ignore[no-untyped-call]
        before, (height, width) = self.padding[0], self.size
        kept: Tensor = x[:, :, before : before + height, before : before + width]
        return kept

    @property
    def _padded_size(self) -> tuple[int, int]:
        height, width = (side + sum(self.padding) for side in self.size)
        return height, width


Operator = Dense | Convolution


def operator_of(layer: QuantLayer, weight: Tensor, seen: Shape) -> Operator:
    """What a layer does with this weight in place of its own; `seen` is the shape of its input, images left out."""
    exact = weight.detach().double().cpu()
    if not isinstance(layer, QuantConv2d):
        return Dense(weight=exact)
    padding = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
    return Convolution(weight=exact, size=(seen[1], seen[2]), stride=layer.stride, padding=padding)


def infinity_norm(operator: Operator) -> float:
    """The largest row 1-norm: what the operator of |weight| makes of ones, borders included; exact."""
    inside, _ = operator.shapes
    magnitude = replace(operator, weight=operator.weight.abs())
    return float(magnitude.forward(torch.ones(1, *inside, dtype=torch.float64)).max())


def two_norm(operator: Operator, generator: torch.Generator) -> float:
    """The largest singular value, by Lanczos' method from a random start unless the matrix is small.

    Power iteration needs the same products, but ten times as many: singular values of a convolution lie close together.
    """
    if not operator.weight.any():
        return 0.0
    columns, rows = (math.prod(shape) for shape in operator.shapes)
    if min(rows, columns) <= DENSE:
        return float(torch.linalg.matrix_norm(_written_out(operator), ord=2))
    start = torch.randn(min(rows, columns), generator=generator, dtype=torch.float64).numpy()
    largest: NDArray[np.float64] = svds(
        _matrix_free(operator), k=1, tol=TOLERANCE, v0=start, return_singular_vectors=False
    )
    return float(largest[0])


def _written_out(operator: Operator) -> Tensor:
    """The matrix or its transpose, whichever takes fewer products; both have the same singular values."""
    inside, outside = operator.shapes
    if math.prod(inside) <= math.prod(outside):
        return operator.forward(_identity(inside)).flatten(1)
    return operator.adjoint(_identity(outside)).flatten(1)


def _identity(shape: Shape) -> Tensor:
    """Every unit vector of this shape."""
    count = math.prod(shape)
    return torch.eye(count, dtype=torch.float64).view(count, *shape)


def _matrix_free(operator: Operator) -> LinearOperator:
    inside, outside = operator.shapes

    def product(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        flat: NDArray[np.float64] = operator.forward(_as(vector, inside)).flatten().numpy()
        return flat

    def transposed(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        flat: NDArray[np.float64] = operator.adjoint(_as(vector, outside)).flatten().numpy()
        return flat

    shape = (math.prod(outside), math.prod(inside))
    return LinearOperator(shape, matvec=product, rmatvec=transposed, dtype=np.float64)


def _as(vector: NDArray[np.float64], shape: Shape) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(vector)).view(1, *shape)
