"""The μ-law compression against its formula and its fixed points."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quantizing import flat, tensors

from evaluators.quantizers.companding import compress

normal = st.floats(-4, 4, width=32).map(lambda value: value if abs(value) > 1e-20 else 0.0)
strengths = st.sampled_from([1.0, 255.0, 65535.0]) | st.floats(1e-3, 65535)


@given(tensors(normal), strengths)
def test_it_is_the_formula(weight, mu):
    peak = max(map(abs, flat(weight))) or 1.0
    expected = [math.copysign(peak * math.log(1 + mu * abs(w) / peak) / math.log(1 + mu), w) for w in flat(weight)]
    assert flat(compress(weight, mu)) == pytest.approx(expected, rel=1e-4, abs=1e-7)


@given(tensors(normal), strengths)
def test_it_is_odd_increasing_and_only_stretches(weight, mu):
    out = compress(weight, mu)
    assert torch.equal(compress(-weight, mu), -out)
    order = weight.flatten().argsort()
    assert (out.flatten()[order].diff() >= -1e-6).all()
    assert (out.abs() >= weight.abs() * (1 - 1e-5)).all()


@given(tensors(normal), strengths)
def test_zero_and_the_largest_magnitude_stay(weight, mu):
    out, peak = compress(weight, mu), weight.abs().max()
    assert (out[weight == 0] == 0).all()
    assert out[weight.abs() == peak].tolist() == pytest.approx(weight[weight.abs() == peak].tolist(), rel=1e-5)
    assert out.abs().max() <= peak * (1 + 1e-5)


@given(tensors())
def test_no_strength_is_the_identity(weight):
    assert torch.equal(compress(weight, 0), weight)


def test_the_published_strength():
    out = compress(torch.tensor([1.0, -1 / 255, 0.1, 0.0]), 255)
    assert out.tolist() == pytest.approx([1, -math.log(2) / math.log(256), math.log(26.5) / math.log(256), 0])


def test_weights_of_zero_and_of_one_magnitude_stay_as_they_are():
    assert compress(torch.zeros(2, 3), 255).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert compress(torch.tensor([0.3, -0.3]), 255).tolist() == pytest.approx([0.3, -0.3])
