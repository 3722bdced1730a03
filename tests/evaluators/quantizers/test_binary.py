"""BinaryNet and XNOR-Net against their formulas, and their gradients against the written rules."""

import pytest
import torch
from hypothesis import given
from quantizing import flat, tensors, upstream_of

from evaluators.quantizers.binary import BinaryNetWeight, SignActivation, XnorWeight


def loaded(kind: type, weight: torch.Tensor) -> torch.nn.Module:
    module = kind(tuple(weight.shape))
    module.load_float(weight)
    return module


@given(tensors(min_dims=2))
def test_binarynet_weights_are_signs_with_the_hard_tanh_gradient(weight):
    module, upstream = loaded(BinaryNetWeight, weight), upstream_of(weight)
    module().backward(upstream)
    assert flat(module()) == [1.0 if w >= 0 else -1.0 for w in flat(weight)]
    rule = [g if abs(w) <= 1 else 0.0 for w, g in zip(flat(weight), flat(upstream), strict=True)]
    assert flat(module.latent.grad) == rule


@given(tensors(min_dims=2))
def test_xnor_weights_are_signs_times_the_mean_magnitude_of_their_channel(weight):
    out = loaded(XnorWeight, weight)()
    for ours, channel in zip(out, weight, strict=True):
        mean = sum(map(abs, flat(channel))) / channel.numel()
        assert flat(ours) == pytest.approx([mean if w >= 0 else -mean for w in flat(channel)], rel=1e-5)
        assert len(ours.abs().unique()) == 1


@given(tensors(min_dims=2))
def test_the_gradient_of_xnor_weights_is_the_product_rule(weight):
    module, upstream = loaded(XnorWeight, weight), upstream_of(weight)
    module().backward(upstream)
    for got, channel, up in zip(module.latent.grad[0], weight, upstream, strict=True):
        n, values, grads = channel.numel(), flat(channel), flat(up)
        signs = [1.0 if w >= 0 else -1.0 for w in values]
        mean = sum(map(abs, values)) / n
        shared = sum(g * s for g, s in zip(grads, signs, strict=True)) / n
        rule = [g * mean * (abs(w) <= 1) + s * shared for g, w, s in zip(grads, values, signs, strict=True)]
        assert flat(got) == pytest.approx(rule, rel=1e-4, abs=1e-3)


def test_only_binarynet_has_its_latent_weights_clipped():
    assert BinaryNetWeight.clips_latent
    assert not XnorWeight.clips_latent


@given(tensors())
def test_sign_activations_are_signs_with_the_hard_tanh_gradient(x):
    x.requires_grad_()
    out, upstream = SignActivation()(x), upstream_of(x)
    out.backward(upstream)
    assert flat(out) == [1.0 if v >= 0 else -1.0 for v in flat(x)]
    assert flat(x.grad) == [g if abs(v) <= 1 else 0.0 for v, g in zip(flat(x), flat(upstream), strict=True)]
