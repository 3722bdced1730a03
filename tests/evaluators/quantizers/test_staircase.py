"""The compiled staircase against PyTorch's own operations, in any number of threads."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from evaluators.quantizers import kernels, staircase
from evaluators.seeds import stream

LARGE = 4 * kernels.SHARE + 17
"""Values for four threads and an incomplete part."""


def drawn(values: int, steps: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A gradient, x, heights of either sign, shifts."""
    generator = stream(0, f"{values}/{steps}")
    return tuple(
        torch.randn(size, generator=generator, dtype=torch.float64).to(dtype) for size in (values, values, steps, steps)
    )


def compiled(grad: Tensor, x: Tensor, height: Tensor, shift: Tensor) -> list[Tensor]:
    x, height, shift = (one.clone().requires_grad_() for one in (x, height, shift))
    out = staircase.staircase(x, height, shift)
    return [out.detach(), *torch.autograd.grad(out, [x, height, shift], grad)]


def plain(grad: Tensor, x: Tensor, height: Tensor, shift: Tensor) -> list[Tensor]:
    return [staircase.steps(x, height, shift), *staircase.windows(grad, x, height, shift)]


@given(st.integers(0, 3 * kernels.PART), st.integers(1, 6))
def test_compiled_and_plain_agree(values, steps):
    drawing = drawn(values, steps, torch.float64)
    for ours, theirs in zip(compiled(*drawing), plain(*drawing), strict=True):
        assert ours.shape == theirs.shape
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12 * max(1, values))


@given(st.lists(st.sampled_from([-2.0, -1.0, -1e-45, -0.0, 0.0, 1e-45, 1.0, 1 + 2**-23, 2.0]), min_size=1))
def test_edges_are_on_the_same_side_in_both(edges):
    x, ones, shift = torch.tensor(edges), torch.ones(3), torch.tensor([0.0, -0.0, 1.0])
    for ours, theirs in zip(
        compiled(torch.ones_like(x), x, ones, shift), plain(torch.ones_like(x), x, ones, shift), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_number_of_threads_changes_no_bit(dtype, threads):
    drawing = drawn(LARGE, 5, dtype)
    results = []
    for count in (1, 2, 3, 4, 7):
        threads(count)
        results.append(compiled(*drawing))
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))


@pytest.mark.parametrize("values", [1, kernels.PART, LARGE])
def test_the_gradient_of_a_frozen_staircase_is_that_of_a_trained_one(values):
    x, grad = (torch.randn(values, generator=stream(0, name)) for name in ("x", "grad"))
    height, shift = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.0, 0.4, -0.9])
    found = []
    for trained in (True, False):
        given = [x.clone().requires_grad_(), height.clone().requires_grad_(trained), shift.clone()]
        (gradient,) = torch.autograd.grad(staircase.staircase(*given), given[0], grad)
        found.append(gradient)
    assert torch.equal(*found)


@pytest.mark.parametrize("values", [1, 63, 64, 65, kernels.PART - 1, kernels.PART, 3 * kernels.PART + 70])
def test_sums_have_the_written_order_to_the_last_bit(values):
    grad, x, height, shift = (one.numpy() for one in drawn(values, 1))
    expected = 0.0
    for part in range(0, values, kernels.PART):
        lanes = np.zeros(kernels.LANES, np.float32)
        for row in range(part, min(part + kernels.PART, values), kernels.LANES):
            inside = slice(row, min(row + kernels.LANES, part + kernels.PART, values))
            lanes[: inside.stop - row] += np.where(x[inside] + shift >= 0, grad[inside], -grad[inside])
        expected += lanes.sum(dtype=np.float64)
    signed = compiled(*map(torch.from_numpy, (grad, x, height, shift)))[2]
    assert signed.item() == np.float32(expected)


def test_sums_of_many_values_keep_their_digits():
    drawing = drawn(LARGE, 2)
    exact = plain(*(one.double() for one in drawing))
    for ours, theirs in zip(compiled(*drawing)[2:], exact[2:], strict=True):
        assert ours.tolist() == pytest.approx(theirs.tolist(), rel=1e-4)
