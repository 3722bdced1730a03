from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.quantizers.strided import conv2d
from evaluators.seeds import stream

SIZES = {
    "of MNISTconv, first": (1, 4, 8, 2, 3, 28),
    "of MNISTconv, second": (4, 3, 6, 2, 0, 14),
    "of three phases": (2, 3, 6, 3, 3, 12),
    "odd kernel, no phases": (2, 3, 3, 2, 1, 8),
    "odd image, no phases": (2, 3, 4, 2, 1, 9),
    "of stride 1": (2, 3, 3, 1, 1, 8),
}


def random(*shape: int, name: str) -> Tensor:
    return torch.randn(*shape, generator=stream(0, name), dtype=torch.float64)


def is_own(out: Tensor) -> bool:
    return "_Strided" in str(out.grad_fn)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", SIZES)
def test_values_and_gradients_are_those_of_pytorch(name, layout):
    before, after, kernel, stride, padding, size = SIZES[name]
    weight = random(after, before, kernel, kernel, name="weight")
    x = random(5, before, size, size, name="x").contiguous(memory_format=layout).requires_grad_()
    ours, theirs = conv2d(x, weight, stride, padding), functional.conv2d(x, weight, None, stride, padding)
    assert is_own(ours) == ("phases" not in name.replace("three phases", "") and "stride 1" not in name)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    grad = random(*ours.shape, name="grad")
    gradients = [torch.autograd.grad(out, x, grad)[0] for out in (ours, theirs)]
    assert gradients[1].abs().max() > 1
    torch.testing.assert_close(*gradients)


def test_the_gradient_can_be_differentiated_once_more():
    weight = random(2, 1, 4, 4, name="weight")
    x = random(2, 1, 6, 6, name="x").requires_grad_()
    assert torch.autograd.gradgradcheck(lambda image: conv2d(image, weight, 2, 1).square(), (x,))


def test_weights_that_are_trained_get_their_gradient():
    weight = random(2, 1, 4, 4, name="weight").requires_grad_()
    x = random(2, 1, 6, 6, name="x").requires_grad_()
    assert torch.autograd.gradcheck(lambda image, kernel: conv2d(image, kernel, 2, 1), (x, weight))
