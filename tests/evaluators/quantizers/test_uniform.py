"""DoReFa-Net and PACT against their formulas, and their gradients against the written rules."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from quantizing import BELOW_ONE, SUBNORMAL, flat, is_nearest, numbers, tensors, upstream_of

from evaluators.quantizers.uniform import (
    PACT_CLIP,
    SMALLEST_CLIP,
    DoReFaActivation,
    DoReFaWeight,
    PactActivation,
    dorefa_weight,
    quantize_unit,
)

bits = st.integers(1, 8)
clips = st.sampled_from([0.25, 1.0, 3.0, 7.0]) | st.floats(0.0625, 8, width=32)


@given(tensors(st.floats(0, 1, width=32)), bits)
def test_unit_quantization_takes_the_nearest_level_and_passes_gradients(x, k):
    x.requires_grad_()
    out, upstream = quantize_unit(x, k), upstream_of(x)
    out.backward(upstream)
    assert all(is_nearest(v, q, 1 / (2**k - 1)) for v, q in zip(flat(x), flat(out), strict=True))
    assert flat(x.grad) == pytest.approx(flat(upstream), rel=1e-6)


def test_levels_of_2_bits_and_ties_to_even():
    assert quantize_unit(torch.tensor([0.0, 0.1, 0.2, 0.5, 0.6, 1.0]), 2).mul(3).tolist() == pytest.approx(
        [0, 0, 1, 2, 2, 3]
    )
    assert quantize_unit(torch.tensor([0.5]), 1).item() == 0.0


@given(tensors(), st.integers(2, 8))
def test_dorefa_weights_follow_equation_9(weight, k):
    weight.requires_grad_()
    out, upstream = dorefa_weight(weight, k), upstream_of(weight)
    out.backward(upstream)
    squashed = [math.tanh(w) for w in flat(weight)]
    peak = max(map(abs, squashed))
    if peak < 1e-30:
        return
    units = [t / (2 * peak) + 0.5 for t in squashed]
    assert all(is_nearest(u, (q + 1) / 2, 1 / (2**k - 1)) for u, q in zip(units, flat(out), strict=True))
    rule = [g * (1 - t * t) / peak for g, t in zip(flat(upstream), squashed, strict=True)]
    assert flat(weight.grad) == pytest.approx(rule, rel=1e-3, abs=1e-4)


@given(tensors())
def test_dorefa_weights_of_one_bit_are_signs_times_the_mean_magnitude(weight):
    weight.requires_grad_()
    out, upstream = dorefa_weight(weight, 1), upstream_of(weight)
    out.backward(upstream)
    mean = sum(map(abs, flat(weight))) / weight.numel()
    assert flat(out) == pytest.approx([mean if w >= 0 else -mean for w in flat(weight)], rel=1e-5)
    assert len(out.unique()) <= 2
    assert torch.equal(weight.grad, upstream)


def test_dorefa_weights_of_zero_are_finite():
    assert all(torch.isfinite(dorefa_weight(torch.zeros(3), k)).all() for k in range(1, 9))


@pytest.mark.parametrize("k", range(1, 9))
def test_the_dorefa_module_is_its_formula_and_reaches_every_level(k):
    module, weight = DoReFaWeight((50, 70), k), torch.linspace(-1, 1, 3500).view(50, 70)
    module.load_float(weight)
    assert torch.equal(module(), dorefa_weight(weight, k))
    assert len(module().unique()) == 2**k


@given(tensors(), bits)
def test_dorefa_activations_clip_to_the_unit_and_take_the_nearest_level(x, k):
    x.requires_grad_()
    before = x.detach().clone()
    out, upstream = DoReFaActivation(k)(x), upstream_of(x)
    out.backward(upstream)
    assert all(
        is_nearest(min(max(v, 0), 1), q, 1 / (2**k - 1)) and 0 <= q <= 1
        for v, q in zip(flat(x), flat(out), strict=True)
    )
    assert flat(x.grad) == [g if 0 <= v <= 1 else 0.0 for v, g in zip(flat(x), flat(upstream), strict=True)]
    assert torch.equal(x, before)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_window_of_dorefa_activations_is_closed_in_every_type(dtype):
    info = torch.finfo(dtype)
    smallest = info.tiny * info.eps
    x = torch.tensor([0.0, -0.0, -smallest, smallest, 1, 1 + info.eps, 1 - info.eps / 2], dtype=dtype)
    x.requires_grad_()
    DoReFaActivation(2)(x).sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 1, 1, 0, 1]


def pact(k: int, clip: float) -> PactActivation:
    module = PactActivation(k)
    module.clip.data.fill_(clip)
    return module


@given(tensors(), st.integers(2, 8), clips)
def test_pact_clips_at_the_learned_value_and_takes_the_nearest_level(x, k, clip):
    out = pact(k, clip)(x)
    step = clip / (2**k - 1)
    clipped = [0.5 * (abs(v) - abs(v - clip) + clip) for v in flat(x)]  # equation 1
    assert all(is_nearest(v, q, step) for v, q in zip(clipped, flat(out), strict=True))
    assert out.min() >= 0
    assert out.max() <= clip * (1 + 1e-6)


@settings(max_examples=200)
@given(st.data(), st.integers(2, 8), clips)
def test_pact_gradients_are_open_below_and_go_to_the_clip_above(data, k, clip):
    module = pact(k, clip)
    x = data.draw(tensors(st.just(clip) | numbers)).requires_grad_()
    upstream = upstream_of(x)
    module(x).backward(upstream)
    pairs = list(zip(flat(x), flat(upstream), strict=True))
    inside = [v > 0 and v / clip > 0 for v, _ in pairs]  # the smallest numbers vanish when divided by the clip
    smallest = [0 < abs(v) <= 16 * SUBNORMAL for v, _ in pairs]
    for got, (v, g), within, tiny in zip(flat(x.grad), pairs, inside, smallest, strict=True):
        assert tiny or got == (g if within and v < clip else 0.0)
    assert module.clip.grad.item() == pytest.approx(sum(g for v, g in pairs if v >= clip), abs=1e-5)


@pytest.mark.parametrize("clip", [1.0, 3.0, 0.7, 1.1, 6.999])
def test_the_edges_of_pact_lie_at_the_clip_itself(clip):
    module = pact(4, clip)
    edge = module.clip.item()
    below, above = edge * BELOW_ONE, edge * (1 + 2**-22)
    x = torch.tensor([0.0, -0.0, 1e-30, below, edge, above]).requires_grad_()
    module(x).sum().backward()
    assert x[3] < module.clip < x[5]
    assert x.grad.tolist() == [0, 0, 1, 1, 0, 0]
    assert module.clip.grad.item() == 2


def test_pact_takes_ties_to_even():
    assert pact(2, 3.0)(torch.tensor([0.5, 1.5, 2.5, 3.5])).tolist() == [0, 2, 2, 3]


@pytest.mark.parametrize("clip", [0.0, -2.0])
def test_a_clip_driven_to_zero_stays_finite_and_can_come_back(clip):
    module = pact(4, clip)
    out = module(torch.tensor([-1.0, 0.5, 2.0]))
    out.sum().backward()
    assert out.tolist() == pytest.approx([0, SMALLEST_CLIP, SMALLEST_CLIP])
    assert module.clip.grad.item() == 2


def test_a_new_clip_suits_unit_variance_and_a_frozen_one_gets_no_gradient():
    module = PactActivation(4)
    assert module.clip.item() == PACT_CLIP
    module.requires_grad_(False)
    x = torch.tensor([1.0, 4.0], requires_grad=True)
    module(x).sum().backward()
    assert x.grad.tolist() == [1, 0]
    assert module.clip.grad is None


@pytest.mark.parametrize("k", range(2, 9))
def test_pact_reaches_every_level(k):
    assert len(pact(k, 2.0)(torch.linspace(-1, 3, 5000)).unique()) == 2**k
