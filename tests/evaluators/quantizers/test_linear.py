"""Quantization after training against numpy, and its order with the μ-law mapping."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evaluators.quantizers.companding import compress
from evaluators.quantizers.layers import QuantConv2d
from evaluators.quantizers.linear import LinearWeight, linear_weight
from evaluators.seeds import stream
from space import Precision


@given(arrays.arrays(np.float32, (3, 4), elements=st.floats(-2, 2, width=32)), st.integers(2, 8))
def test_weights_are_the_nearest_multiples_of_the_step(weight, bits):
    found = linear_weight(torch.from_numpy(weight.copy()), bits).double().numpy()
    peak = float(np.abs(weight).max())
    levels = np.arange(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1)) * peak / (2 ** (bits - 1) - 1)
    distance = np.abs(weight[..., None].astype(float) - levels).min(-1)
    assert np.allclose(np.abs(found - weight), distance, atol=1e-5 * max(peak, 1e-3))
    assert np.abs(found).max() == pytest.approx(peak, rel=1e-6)


def test_zero_weights_stay_zero():
    assert torch.equal(linear_weight(torch.zeros(2, 3), 3), torch.zeros(2, 3))


def test_three_bits_leave_seven_values():
    weight = torch.linspace(-1, 0.9, 1000)
    assert len(linear_weight(weight, 3).unique()) == 7


def test_a_mapped_weight_is_quantized_and_not_the_other_way_round():
    layer = QuantConv2d((3, 4), 3).quantized(Precision.parse("ptq3"))
    layer.weight.load_float(torch.randn(4, 3, 3, 3, generator=stream(0, "weight")))
    layer.mu = 255
    latent = layer.weight.float_weight()
    assert torch.equal(layer.effective_weight(), linear_weight(compress(latent, 255), 3))
    assert len(layer.effective_weight().unique()) <= 7
    assert not torch.equal(layer.effective_weight(), compress(linear_weight(latent, 3), 255))
    assert isinstance(layer.weight, LinearWeight)
