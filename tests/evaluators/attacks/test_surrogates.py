"""Other straight-through rules: never another value, only another gradient."""

import pytest
import torch
from planted import NarrowSign, Wrapped, narrowed, rounded, rounded_out_of_sight, single
from torch import nn
from victims import CANDIDATES, digits, state_of, victim

from evaluators.attacks.base import judged
from evaluators.attacks.losses import plain
from evaluators.attacks.surrogates import RULES, hides_gradients, steered, through
from evaluators.ensemble import Ensemble
from evaluators.quantizers.bases import MultiBaseActivation
from evaluators.quantizers.binary import SignActivation
from evaluators.quantizers.layers import QuantLinear
from evaluators.quantizers.uniform import DoReFaActivation, PactActivation


def gradient(model: Ensemble) -> torch.Tensor:
    images, labels = digits()
    found = judged(model, images, labels, plain).gradient
    assert found is not None
    return found


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", CANDIDATES)
def test_a_rule_changes_no_value_and_leaves_the_model_alone(kind, rule):
    model, (images, _) = victim(kind), digits()
    before = state_of(model)
    with torch.no_grad():
        expected, given = model.member_logits(images), through(model, rule).member_logits(images)
    assert torch.equal(given, expected)
    assert all(torch.equal(one, other) for one, other in zip(state_of(model), before, strict=True))
    assert torch.equal(through(model, rule).discretise(images), model.discretise(images))


def test_the_trained_rule_is_the_model_itself():
    assert through(victim("bnn"), "trained") is victim("bnn")


@pytest.mark.parametrize("kind", ["bnn", "dorefa", "pact", "multi-bit"])
def test_where_something_quantizes_the_gradient_is_another_one(kind):
    model, (images, _) = victim(kind), digits()
    assert hides_gradients(model, images[:1])
    assert not torch.equal(gradient(through(model, "smooth")), gradient(model))


def test_a_float_network_has_nothing_to_replace():
    model, (images, _) = victim("fp"), digits()
    assert not hides_gradients(model, images[:1])
    assert torch.equal(gradient(through(model, "window-free")), gradient(model))


X = torch.tensor([-3.0, -0.5, 0.2, 0.9, 2.0, 4.0])


def slopes(activation: nn.Module, rule: str) -> torch.Tensor:
    """The slope at X, through a layer that passes values on as they are."""
    layer = QuantLinear((1, 1))
    layer.weight.load_float(torch.ones(1, 1))
    layer.activation = activation
    model = through(single(nn.Sequential(layer)), rule)
    x = X.clone().requires_grad_()
    model.members[0](x[:, None]).sum().backward()
    return x.grad


def test_slopes_without_windows_are_constant():
    multi = MultiBaseActivation(2)
    multi.scale.data = torch.tensor([0.5, 2.0])
    for activation, slope in (
        (SignActivation(), 1.0),
        (DoReFaActivation(2), 1.0),
        (PactActivation(2), 1.0),
        (multi, 2.5),
    ):
        assert slopes(activation, "window-free").tolist() == pytest.approx([slope] * len(X))


def test_smooth_slopes_are_those_of_the_functions_that_steps_approximate():
    """By finite differences of tanh, in double precision."""
    step = 1e-4
    tanh = ((X.double() + step).tanh() - (X.double() - step).tanh()) / (2 * step)
    assert torch.allclose(slopes(SignActivation(), "smooth").double(), tanh, atol=1e-4)
    multi = MultiBaseActivation(1)
    multi.scale.data, multi.shift.data = torch.tensor([2.0]), torch.tensor([0.5])
    shifted = ((X.double() + 0.5 + step).tanh() - (X.double() + 0.5 - step).tanh()) / step
    assert torch.allclose(slopes(multi, "smooth").double(), shifted, atol=1e-4)
    unit = slopes(DoReFaActivation(2), "smooth")
    assert unit.argmax() == 2 and (unit > 0).all(), "highest inside [0, 1], nowhere zero"
    clipped = slopes(PactActivation(2), "smooth")
    assert (clipped[2:5] > 0.5).all() and (clipped > 0).all(), "PACT's clip starts at 3"


def test_a_window_that_lets_nothing_through_is_opened():
    model = narrowed(victim("bnn"))
    assert (gradient(model) == 0).flatten(1).all(1).float().mean() > 0.5
    for rule in RULES:
        assert not (gradient(through(model, rule)) == 0).flatten(1).all(1).any()
    assert isinstance(next(m for m in model.modules() if isinstance(m, NarrowSign)), NarrowSign), (
        "the model keeps its own"
    )


def test_rounding_is_seen_through_wherever_it_is():
    model, (images, _) = rounded(victim("fp")), digits()
    assert hides_gradients(model, images[:1])
    assert (gradient(model) == 0).all()
    assert not (gradient(through(model, "window-free")) == 0).flatten(1).all(1).any()


@pytest.mark.parametrize(
    "flat",
    [
        lambda x: torch.round(input=x),
        lambda x: torch.clamp(input=x, min=0.4, max=0.6),
        lambda x: x.clip(0.4, 0.6),
        nn.Hardtanh(0.4, 0.6),
        nn.Hardtanh(0.4, 0.6, inplace=True),
    ],
)
def test_a_flat_function_is_seen_through_however_it_is_called(flat):
    model = single(Wrapped(nn.Flatten(), before=lambda x: flat(1 * x)))
    images = torch.tensor([0.1, 0.45, 0.7]).view(1, 1, 1, 3)
    assert hides_gradients(model, images)
    free, x = through(model, "window-free"), images.clone().requires_grad_()
    logits = free.member_logits(x)
    assert torch.equal(logits.detach(), model.member_logits(images))
    (found,) = torch.autograd.grad(logits.sum(), x)
    assert found.flatten().tolist() == [1, 1, 1]


def test_what_nothing_can_look_into_is_steered_by_a_twin():
    model, twin, (images, _) = rounded_out_of_sight(victim("fp")), victim("fp"), digits()
    assert (gradient(through(model, "window-free")) == 0).all()
    led = steered(model, twin)
    with torch.no_grad():
        assert torch.equal(led.member_logits(images), model.member_logits(images))
    assert torch.equal(led(images), model(images))
    x = images.clone().requires_grad_()
    logits = led.member_logits(x)
    (got,) = torch.autograd.grad(logits[0, :, 3].sum(), x)
    y = images.clone().requires_grad_()
    (expected,) = torch.autograd.grad(twin.member_logits(y)[0, :, 3].sum(), y)
    assert torch.allclose(got, expected)


def test_an_ensemble_is_steered_as_one():
    model, (images, _) = victim("majority"), digits()
    with torch.no_grad():
        assert torch.equal(steered(model, victim("fp")).member_logits(images), model.member_logits(images))
