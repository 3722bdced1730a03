"""Straight-through functions, each against its written rule."""

import pytest
import torch
from hypothesis import given
from quantizing import ABOVE_ONE, BELOW_ONE, SUBNORMAL, flat, tensors, upstream_of

from evaluators.quantizers.ste import plain_sign, round_through, sign, through_window


@given(tensors())
def test_sign_is_plus_one_from_zero_up(x):
    x.requires_grad_()
    out = sign(x)
    assert flat(out) == [1.0 if value >= 0 else -1.0 for value in flat(x)]
    assert torch.equal(plain_sign(x.detach()), out)
    assert out.shape == x.shape


@given(tensors())
def test_sign_lets_gradients_through_its_closed_window(x):
    x.requires_grad_()
    upstream = upstream_of(x)
    sign(x).backward(upstream)
    assert flat(x.grad) == [g if abs(v) <= 1 else 0.0 for v, g in zip(flat(x), flat(upstream), strict=True)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_window_ends_exactly_at_1_in_every_type(dtype):
    eps = torch.finfo(dtype).eps
    x = torch.tensor([1, 1 + eps, 1 - eps / 2, -1, -1 - eps, -1 + eps / 2, 0], dtype=dtype)
    assert through_window(torch.ones_like(x), x).tolist() == [1, 0, 1, 1, 0, 1, 1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_signs_of_zeros_and_of_the_smallest_numbers(dtype):
    smallest = torch.finfo(dtype).tiny * torch.finfo(dtype).eps
    x = torch.tensor([0.0, -0.0, smallest, -smallest, float("inf"), float("-inf")], dtype=dtype)
    assert x[3] < 0
    assert plain_sign(x).tolist() == [1, 1, 1, -1, 1, -1]
    assert plain_sign(x).dtype == dtype


@pytest.mark.parametrize("step", [1, 2, 3])
def test_signs_do_not_depend_on_the_layout_in_memory(step):
    x = torch.linspace(-2, 2, 66)[::step]
    assert plain_sign(x).tolist() == [1.0 if value >= 0 else -1.0 for value in x.tolist()]


@given(tensors())
def test_rounding_takes_ties_to_even_and_passes_every_gradient(x):
    x.requires_grad_()
    upstream = upstream_of(x)
    out = round_through(x)
    out.backward(upstream)
    assert flat(out) == [round(value) for value in flat(x)]
    assert torch.equal(x.grad, upstream)


def test_the_edges_are_edges():
    assert BELOW_ONE < 1 < ABOVE_ONE
    assert torch.tensor(SUBNORMAL) > 0
    assert torch.tensor(SUBNORMAL) / 2 == 0
