"""The compiled steps of PACT and of signs against PyTorch's own operations, in any number of threads and layout."""

import pytest
import torch
from torch import Tensor

from evaluators.quantizers import kernels
from evaluators.quantizers.ste import plain_sign, sign, through_window
from evaluators.quantizers.uniform import PactActivation
from evaluators.seeds import stream

LARGE = 4 * kernels.SHARE + 17


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = stream(0, f"{shape}")
    return tuple(3 * torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for _ in range(2))


def by_hand(grad: Tensor, x: Tensor, clip: Tensor, levels: int) -> list[Tensor]:
    """PACT by its equations: values, the gradient to x, that to the clip."""
    values = (x * (levels / clip)).clamp(0, levels).round() * (clip / levels)
    return [values, grad * ((x > 0) & (x < clip)), (grad.double() * (x >= clip)).sum()]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pact_has_the_bits_of_its_equations(bits, dtype):
    module, (grad, x) = PactActivation(bits).to(dtype), drawn(LARGE, dtype=dtype)
    x.requires_grad_()
    values, through, above = by_hand(grad, x.detach(), module.clip.detach(), 2**bits - 1)
    out = module(x)
    out.backward(grad)
    assert torch.equal(out, values)
    assert torch.equal(x.grad, through)
    assert module.clip.grad.item() == pytest.approx(above.item(), rel=1e-4, abs=1e-2)


def test_the_number_of_threads_changes_no_bit(threads):
    results = []
    for count in (1, 2, 3, 7):
        threads(count)
        module, (grad, x) = PactActivation(4), drawn(LARGE)
        out = module(x.requires_grad_())
        out.backward(grad)
        results.append([out.detach(), x.grad, module.clip.grad])
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))


def layouts(x: Tensor) -> list[Tensor]:
    """The same values, as they may lie in memory."""
    return [x, x.contiguous(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)]


@pytest.mark.parametrize("layout", range(3))
def test_a_layout_changes_no_value_and_a_gradient_may_lie_otherwise(layout):
    grad, x = drawn(3, 5, 4, 6)
    x = layouts(x)[layout].detach().requires_grad_()
    module = PactActivation(3)
    values, through, _ = by_hand(grad, x.detach(), module.clip.detach(), 7)
    out = module(x)
    out.backward(grad)
    assert torch.equal(out, values)
    assert torch.equal(x.grad, through)
    assert torch.equal(sign(x), plain_sign(x))


def test_signs_are_those_of_the_weights_also_at_zero():
    x = torch.tensor([-2.0, -1e-45, -0.0, 0.0, 1e-45, 1.0], requires_grad=True)
    out = sign(x)
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(out, plain_sign(x.detach()))
    assert out.tolist() == [-1, -1, 1, 1, 1, 1]
    assert torch.equal(grad, through_window(torch.ones_like(x), x.detach()))
