"""Multi-bit networks: the double loop of convolutions that is published, against the one convolution that is run."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from evaluators.quantizers.bases import (
    RIDGE,
    MultiBaseActivation,
    MultiBaseWeight,
    greedy_residual,
    least_squares_scales,
)
from evaluators.quantizers.kernels import SHARE
from evaluators.quantizers.layers import QuantConv2d, QuantLayer, QuantLinear
from evaluators.seeds import stream
from space import Precision

SHAPES = [(1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (2, 3), (3, 2), (4, 4)]


def sign_ste(x: Tensor) -> Tensor:
    """sign with sign(0) = +1 forward; the gradient of clip(x, -1, 1), which is 1[|x| <= 1], backward."""
    signed = 2.0 * (x >= 0).to(x.dtype) - 1
    window = x.clamp(-1, 1)
    return signed.detach() + window - window.detach()


def double_loop(layer: QuantLayer, x: Tensor) -> Tensor:
    """Σ_m Σ_n α_m β_n Op(sign W_m, sign(x + v_n)): M·N binary operators, zeros around the signs."""
    weight, activation = layer.weight, layer.activation
    total = 0.0
    for latent, alpha in zip(weight.latent, weight.scale, strict=True):
        for beta, v in zip(activation.scale, activation.shift, strict=True):
            binary = operate(layer, sign_ste(x + v), sign_ste(latent))
            total = total + alpha.reshape(1, -1, *[1] * (x.dim() - 2)) * beta * binary
    return total


def operate(layer: QuantLayer, x: Tensor, weight: Tensor) -> Tensor:
    if isinstance(layer, QuantLinear):
        return x @ weight.T
    before, after = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
    n, channels, height, width = x.shape
    padded = x.new_zeros(n, channels, before + height + after, before + width + after)
    padded[:, :, before : before + height, before : before + width] = x
    return functional.conv2d(padded, weight, stride=layer.stride)


def drawn(layer: QuantLayer, seed: str, dtype: torch.dtype) -> QuantLayer:
    """Every parameter at random, scales of either sign, latent weights in and out of the window."""
    generator = stream(0, seed)
    for parameter in layer.parameters():
        parameter.data.copy_(torch.randn(parameter.shape, generator=generator))
    return layer.to(dtype)


def gradients(layer: QuantLayer, out: Tensor, x: Tensor, seed: str) -> list[Tensor]:
    upstream = torch.randn(out.shape, generator=stream(0, seed), dtype=torch.float64).to(out.dtype)
    return list(torch.autograd.grad((out * upstream).sum(), [x, *layer.parameters()]))


def assert_same(ours: Tensor, theirs: Tensor, tolerance: float) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max().clamp_min(1)


LAYERS = {
    "plain": (lambda: QuantConv2d((3, 4), 3), (2, 3, 6, 5)),
    "padded": (lambda: QuantConv2d((3, 4), 3, padding=1), (2, 3, 5, 6)),
    "strided": (lambda: QuantConv2d((2, 5), 3, stride=2, padding=1), (3, 2, 7, 6)),
    "even kernel, uneven padding": (lambda: QuantConv2d((2, 3), 8, padding=(3, 4)), (2, 2, 7, 9)),
    "uneven padding, strided": (lambda: QuantConv2d((2, 3), 4, stride=2, padding=(1, 2)), (2, 2, 7, 8)),
    "linear": (lambda: QuantLinear((11, 4)), (5, 11)),
}


@pytest.mark.parametrize(("bases", "shifts"), SHAPES)
@pytest.mark.parametrize("kind", LAYERS)
def test_one_operator_is_the_double_loop_forward_and_backward(kind, bases, shifts):
    make, shape = LAYERS[kind]
    layer = drawn(make().quantized(Precision("mbn", bases, shifts)), kind, torch.float64)
    x = torch.randn(shape, generator=stream(0, "x"), dtype=torch.float64).requires_grad_()
    ours, theirs = layer(x), double_loop(layer, x)
    assert_same(ours, theirs, 1e-12)
    names = ["x", *(name for name, _ in layer.named_parameters())]
    assert sorted(names[1:]) == ["activation.scale", "activation.shift", "weight.latent", "weight.scale"]
    for name, one, two in zip(names, gradients(layer, ours, x, "up"), gradients(layer, theirs, x, "up"), strict=True):
        assert two.abs().max() > 0, name
        assert_same(one, two, 1e-10)


def test_single_precision_stays_within_1e_5_of_the_double_loop():
    layer = drawn(QuantConv2d((16, 16), 3, padding=1).quantized(Precision("mbn", 3, 3)), "16", torch.float32)
    x = torch.randn((4, 16, 8, 8), generator=stream(0, "x32")).requires_grad_()
    exact = drawn(QuantConv2d((16, 16), 3, padding=1).quantized(Precision("mbn", 3, 3)), "16", torch.float64)
    x64 = x.detach().double().requires_grad_()
    ours, theirs = layer(x), double_loop(exact, x64)
    assert_same(ours.double(), theirs, 1e-5)
    for one, two in zip(gradients(layer, ours, x, "up"), gradients(exact, theirs, x64, "up"), strict=True):
        assert_same(one.double(), two, 1e-5)


def big(rows: int, *shape: int) -> Tensor:
    return torch.randn((rows, *shape), generator=stream(0, "big"), dtype=torch.float64)


@pytest.mark.parametrize("memory", ["contiguous", "channels last", "every other"])
@pytest.mark.parametrize(("rows", "shape"), [(9, (3, 70, 71)), (1, (3, 220, 221)), (300, (3, 21, 21)), (140_000, (1,))])
def test_large_activations_agree_with_the_formula_part_by_part(rows, shape, memory):
    x = big(rows, *shape)
    assert x.numel() > SHARE
    if memory == "channels last":
        x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
    elif memory == "every other":
        x = torch.stack([x, -x], dim=-1)[..., 0]
    module = MultiBaseActivation(3).double()
    scale, shift = torch.tensor([0.4, -0.3, 0.2]).double(), torch.tensor([-0.5, 0.1, 0.9]).double()
    module.scale.data, module.shift.data = scale, shift
    x.requires_grad_()
    out = module(x)
    signs = torch.stack([torch.where(x.detach() + v >= 0, 1.0, -1.0).double() for v in shift.tolist()])
    inside = torch.stack([((x.detach() + v).abs() <= 1).double() for v in shift.tolist()])
    assert torch.allclose(out, torch.einsum("n,n...->...", scale, signs), rtol=0, atol=1e-15)
    upstream = torch.randn(out.shape, generator=stream(0, "upstream"), dtype=torch.float64)
    grad_x, grad_scale, grad_shift = torch.autograd.grad((out * upstream).sum(), [x, module.scale, module.shift])
    assert torch.allclose(grad_x, upstream * torch.einsum("n,n...->...", scale, inside), rtol=0, atol=1e-14)
    assert torch.allclose(grad_scale, (signs * upstream).flatten(1).sum(1), rtol=1e-9)
    assert torch.allclose(grad_shift, scale * (inside * upstream).flatten(1).sum(1), rtol=1e-9)


def test_large_and_small_batches_give_the_same_bits():
    module, x = MultiBaseActivation(3), big(20, 3, 50, 50).float()
    assert x.numel() > SHARE
    one_by_one = torch.cat([module(image[None]) for image in x])
    assert torch.equal(module(x), one_by_one)


@pytest.mark.parametrize("rows", [3, 200_000])
def test_frozen_scales_leave_the_gradient_of_the_input_alone(rows):
    module, x = MultiBaseActivation(2), big(rows, 1).requires_grad_()
    (learning,) = torch.autograd.grad(module(x).sum(), x)
    module.requires_grad_(False)
    (frozen,) = torch.autograd.grad(module(x).sum(), x)
    assert torch.equal(learning, frozen)
    assert frozen.abs().sum() > 0


@pytest.mark.parametrize("beta", [0.7, -0.7, 0.0])
def test_a_scale_of_either_sign_multiplies_the_sign(beta):
    module = MultiBaseActivation(1)
    module.scale.data[0] = beta
    out = module(torch.tensor([-3.0, -0.0, 0.0, 2.0]))
    assert out.tolist() == pytest.approx([-beta, beta, beta, beta])


def test_minus_zero_counts_as_zero_whatever_the_threshold():
    module = MultiBaseActivation(2)
    module.shift.data = torch.tensor([-0.0, -0.0])
    out = module(torch.tensor([-0.0, 0.0]))
    assert out.tolist() == [1.0, 1.0]
    out.sum().backward()
    assert module.scale.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("bases", range(1, 9))
def test_thresholds_start_at_the_quantiles_of_the_unit_normal_and_scales_add_up_to_1(bases):
    module = MultiBaseActivation(bases)
    quantiles = [NormalDist().inv_cdf(n / (bases + 1)) for n in range(1, bases + 1)]
    assert module.shift.tolist() == pytest.approx(quantiles, abs=1e-6)
    assert module.scale.tolist() == pytest.approx([1 / bases] * bases)
    levels = module(torch.linspace(-4, 4, 4001)).unique()
    assert len(levels) == bases + 1
    assert (levels.min().item(), levels.max().item()) == pytest.approx((-1, 1))


weights = st.builds(
    lambda out, fan, seed: torch.randn((out, fan, 1, 1), generator=stream(seed, "w"), dtype=torch.float64),
    st.integers(1, 4),
    st.integers(1, 30),
    st.integers(0, 10**6),
)


@given(weights, st.integers(1, 5))
def test_greedy_residuals_are_what_the_loop_leaves(weight, bases):
    found = greedy_residual(weight, bases)
    for channel in range(len(weight)):
        residual = weight[channel].flatten().tolist()
        for m in range(bases):
            assert found[m, channel].flatten().tolist() == pytest.approx(residual)
            mean = sum(map(abs, residual)) / len(residual)
            residual = [r - mean if r >= 0 else r + mean for r in residual]


@given(weights, st.integers(1, 4))
def test_scales_are_the_ridged_least_squares_of_numpy(weight, bases):
    signs = torch.where(greedy_residual(weight, bases) >= 0, 1.0, -1.0).double()
    found = least_squares_scales(weight, signs)
    assert found.shape == (bases, len(weight))
    n = weight[0].numel()
    for channel in range(len(weight)):
        basis = signs[:, channel].flatten(1).T.numpy()
        system = np.vstack([basis / n**0.5, RIDGE**0.5 * np.eye(bases)])
        target = np.concatenate([weight[channel].flatten().numpy() / n**0.5, np.zeros(bases)])
        expected = np.linalg.lstsq(system, target, rcond=None)[0]
        assert found[:, channel].tolist() == pytest.approx(expected.tolist(), abs=1e-8)


def test_the_ridge_hardly_moves_scales_of_independent_bases():
    weight = torch.randn((6, 200), generator=stream(0, "ridge"), dtype=torch.float64)
    signs = torch.where(greedy_residual(weight, 3) >= 0, 1.0, -1.0).double()
    found = least_squares_scales(weight, signs)
    for channel in range(6):
        plain = np.linalg.lstsq(signs[:, channel].T.numpy(), weight[channel].numpy(), rcond=None)[0]
        assert found[:, channel].tolist() == pytest.approx(plain.tolist(), rel=0.01)


def test_equal_bases_share_their_scale():
    weight = torch.full((2, 5), 3.0)
    scales = least_squares_scales(weight, torch.ones(4, 2, 5))
    assert scales.flatten().tolist() == pytest.approx([0.75] * 8, rel=1e-2)


@pytest.mark.parametrize("bases", range(1, 5))
def test_an_approximated_weight_reaches_all_2_to_the_m_levels(bases):
    quantizer, weight = MultiBaseWeight((2, 8, 6, 6), bases), torch.randn(2, 8, 6, 6, generator=stream(0, "levels"))
    quantizer.load_float(weight)
    for channel in quantizer():
        assert len(channel.unique()) == 2**bases


def test_every_base_brings_the_weight_nearer():
    weight, errors = torch.randn(8, 16, 3, 3, generator=stream(0, "nearer")), []
    for bases in range(1, 6):
        quantizer = MultiBaseWeight((8, 16, 3, 3), bases)
        quantizer.load_float(weight)
        errors.append((quantizer() - weight).square().mean().item())
    assert all(later < 0.75 * earlier for earlier, later in pairwise(errors))
    assert errors[0] == pytest.approx(1 - 2 / np.pi, abs=0.03)  # of a unit normal, whose mean magnitude is √(2/π)


def test_the_first_base_is_the_float_weight_that_a_warm_start_copies():
    quantizer, weight = MultiBaseWeight((3, 4), 2), torch.randn(3, 4, generator=stream(0, "first"))
    quantizer.load_float(weight)
    assert torch.equal(quantizer.float_weight(), weight)
    assert not quantizer.float_weight().requires_grad
