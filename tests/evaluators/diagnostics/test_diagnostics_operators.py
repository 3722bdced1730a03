"""Norms of layers as operators, against the matrix that the layer itself writes out column by column."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evaluators.diagnostics.operators import DENSE, Convolution, infinity_norm, operator_of, two_norm
from evaluators.quantizers.layers import QuantConv2d, QuantLayer, QuantLinear
from evaluators.seeds import stream

LAYERS: dict[str, tuple[QuantLayer, tuple[int, ...]]] = {
    "padded": (QuantConv2d((2, 3), 3, padding=1), (2, 6, 5)),
    "strided": (QuantConv2d((1, 4), 8, stride=2, padding=3), (1, 12, 11)),
    "a pixel that no stride reaches": (QuantConv2d((2, 4), 3, stride=2), (2, 8, 8)),
    "padded on one side more": (QuantConv2d((2, 2), 8, padding=(3, 4)), (2, 7, 6)),
    "1x1": (QuantConv2d((5, 3), 1, stride=2), (5, 9, 9)),
    "few outputs": (QuantConv2d((3, 2), 4), (3, 6, 7)),
    "few inputs": (QuantConv2d((1, 9), 3, padding=1), (1, 4, 5)),
    "classifier": (QuantLinear((70, 10), bias=True), (70,)),
    "wide linear": (QuantLinear((50, 64)), (50,)),
}
every_layer = pytest.mark.parametrize(("layer", "shape"), LAYERS.values(), ids=LAYERS)


@torch.no_grad()
def matrix(layer: QuantLayer, shape: tuple[int, ...], weight: Tensor) -> np.ndarray:
    """What the layer makes of every unit vector, column by column, without its bias."""
    layer.double()
    layer.activation, layer.bias = nn.Identity(), None
    layer.weight.latent[0].copy_(weight)
    columns = []
    for index in range(int(np.prod(shape))):
        unit = torch.zeros(1, *shape, dtype=torch.float64)
        unit.view(-1)[index] = 1
        columns.append(layer(unit).flatten().numpy())
    return np.stack(columns, axis=1)


def drawn(layer: QuantLayer, seed: str = "weights") -> Tensor:
    return torch.randn(layer.weight.shape, generator=stream(0, seed), dtype=torch.float64)


@every_layer
def test_norms_are_those_of_the_matrix(layer, shape):
    weight = drawn(layer)
    operator, oracle = operator_of(layer, weight, shape), matrix(layer, shape, weight)
    assert two_norm(operator, stream(0, "start")) == pytest.approx(np.linalg.norm(oracle, 2), rel=1e-7)
    assert infinity_norm(operator) == pytest.approx(np.linalg.norm(oracle, np.inf), rel=1e-12)


def test_both_ways_to_the_largest_singular_value_are_taken():
    operators = [operator_of(layer, drawn(layer), shape) for layer, shape in LAYERS.values()]
    smaller = [min(np.prod(one) for one in operator.shapes) for operator in operators]
    assert min(smaller) <= DENSE < max(smaller)


@every_layer
def test_the_adjoint_is_the_transpose(layer, shape):
    weight = drawn(layer)
    operator, oracle = operator_of(layer, weight, shape), matrix(layer, shape, weight)
    inside, outside = operator.shapes
    y = torch.randn(3, *outside, generator=stream(0, "y"), dtype=torch.float64)
    assert operator.adjoint(y).shape == (3, *inside)
    assert np.allclose(operator.adjoint(y).flatten(1).numpy(), y.flatten(1).numpy() @ oracle)


def test_a_kernel_that_ones_are_blind_to_is_seen():
    """A derivative: constant images give zero inside, and its largest singular vector is no symmetric one."""
    weight = torch.tensor([[[[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]]], dtype=torch.float64)
    operator = Convolution(weight=weight, size=(9, 10), padding=(1, 1))
    # tridiagonal, -1 and 1 beside the diagonal: eigenvalues 2i cos(kπ/(n+1))
    assert two_norm(operator, stream(0, "start")) == pytest.approx(2 * np.cos(np.pi / 11), rel=1e-8)
    assert infinity_norm(operator) == 2


def test_borders_count_less_than_the_inside():
    """Zero padding: no row of a 2×2 image with a 3×3 kernel sees more than four weights."""
    operator = Convolution(weight=torch.ones(1, 1, 3, 3, dtype=torch.float64), size=(2, 2), padding=(1, 1))
    assert infinity_norm(operator) == 4
    assert two_norm(operator, stream(0, "start")) == pytest.approx(4)


def test_no_weight_is_no_error():
    operator = Convolution(weight=torch.zeros(8, 8, 3, 3, dtype=torch.float64), size=(20, 20), padding=(1, 1))
    assert two_norm(operator, stream(0, "start")) == infinity_norm(operator) == 0
