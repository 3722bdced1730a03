"""The attacker's ball in exact arithmetic: float32 numbers and ε are fractions, nothing is rounded."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quantizing import SUBNORMAL, flat, tensors
from torch import Tensor

from evaluators.attacks.ball import Ball

radii = st.sampled_from([0.0, 0.1, 0.2, 0.3, 8 / 255, 1 / 255, 1e-9, 1.0, 1 / 3]) | st.floats(0, 1)
greys = st.integers(0, 255).map(lambda level: (torch.tensor(level, dtype=torch.uint8).float() / 255).item())
pixels = tensors(greys | st.floats(0, 1, width=32) | st.sampled_from([0.0, 1.0, SUBNORMAL]))


def neighbour(x: Tensor, towards: float) -> Tensor:
    return x.nextafter(torch.full_like(x, towards))


def allowed(value: float, pixel: float, epsilon: float) -> bool:
    return abs(Fraction(value) - Fraction(pixel)) <= Fraction(epsilon) and 0 <= value <= 1


@given(pixels, radii)
def test_the_bounds_are_the_last_numbers_that_are_allowed(images, epsilon):
    ball = Ball.around(images, epsilon)
    for bound, beyond in ((ball.low, -float("inf")), (ball.high, float("inf"))):
        assert bound.dtype == torch.float32
        for pixel, value, next_one in zip(flat(images), flat(bound), flat(neighbour(bound, beyond)), strict=True):
            assert allowed(value, pixel, epsilon)
            assert not allowed(next_one, pixel, epsilon)


@given(pixels, radii, st.integers(0, 10**6))
def test_projection_gives_the_nearest_allowed_point(images, epsilon, seed):
    ball = Ball.around(images, epsilon)
    anywhere = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)) * 2
    projected = ball.project(anywhere)
    assert torch.equal(ball.project(projected), projected)
    assert torch.equal(ball.project(images), images)
    for pixel, value, wanted in zip(flat(images), flat(projected), flat(anywhere), strict=True):
        assert allowed(value, pixel, epsilon)
        assert value == wanted or not allowed(wanted, pixel, epsilon)
        if value != wanted:
            assert value in (flat(ball.low) + flat(ball.high))


@pytest.mark.parametrize("epsilon", [0.1, 8 / 255])
def test_some_of_the_images_have_their_own_balls(epsilon):
    images = torch.rand(6, 1, 3, 3)
    some = Ball.around(images, epsilon)[torch.tensor([4, 1])]
    assert torch.equal(some.low, Ball.around(images[[4, 1]], epsilon).low)
    assert torch.equal(some.high, Ball.around(images[[4, 1]], epsilon).high)
