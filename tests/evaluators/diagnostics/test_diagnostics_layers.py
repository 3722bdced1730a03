"""Diagnostics that look inside: quantization errors, activations, gradients, each by a second route."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from diagnosed import subject, table

from evaluators.diagnostics.activations import activations, first_activation
from evaluators.diagnostics.gradients import gradients, layer_gradients
from evaluators.diagnostics.lipschitz import lipschitz, sized_layers
from evaluators.diagnostics.subject import Subject
from evaluators.networks.build import build
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from space import Precision


def companded(weight: np.ndarray, mu: float) -> np.ndarray:
    """The μ-law, once more."""
    peak = np.abs(weight).max()
    return peak * np.sign(weight) * np.log(1 + mu * np.abs(weight) / peak) / np.log(1 + mu)


def test_full_precision_has_no_quantization_error():
    found = table("fp", "lipschitz")
    assert set(found.numbers("two_norm") + found.numbers("infinity_norm")) == {0}


def test_a_mapped_layer_has_the_error_of_its_mapping():
    found, network = table("fp:mu255@2", "lipschitz"), subject("fp").model.members[0]
    weights = [layer.effective_weight().numpy().astype(float) for _, layer in network.layers()]
    for row, weight in zip(found.rows[-2:], weights[-2:], strict=True):
        error = companded(weight, 255) - weight
        assert row[3] == pytest.approx(np.linalg.norm(error, 2), rel=1e-5)
        assert row[4] == pytest.approx(np.linalg.norm(error, np.inf), rel=1e-5)
    assert {row[3] for row in found.rows[:-2]} == {0}


@pytest.mark.parametrize(("spec", "layers"), [("mbn3x1", 3), ("pact2", 3), ("ptq3", 5), ("fp~w50", 5)])
def test_a_layer_has_the_error_of_its_levels(spec, layers):
    found, network = table(spec, "lipschitz"), subject(spec).model.members[0]
    for row, (name, layer) in zip(found.rows, network.layers(), strict=True):
        error = (layer.weight() - layer.weight.latent[0]).numpy().astype(float)
        assert row[1:3] == (name, "linear")
        assert row[3:] == pytest.approx((np.linalg.norm(error, 2), np.linalg.norm(error, np.inf)), rel=1e-5)
    assert sum(norm > 0 for norm in found.numbers("two_norm")) == layers


def test_layers_are_seen_at_their_real_size():
    network = build("cifarconv", Precision.parse("bnn"), Plan(shape=(3, 12, 10), classes=3, width=0.125)).eval()
    shapes = [shape for _, _, shape in sized_layers(network, torch.zeros(1, 3, 12, 10))]
    assert shapes == [(3, 12, 10), (4, 6, 5), (8, 3, 3), (32,), (8,)]


def test_a_convolution_padded_on_one_side_more_is_measured():
    network = build("cifarconv", Precision.parse("bnn"), Plan(shape=(3, 12, 10), classes=3, width=0.125)).eval()
    network.reset(stream(0, "weights"))
    one = subject("fp")
    one.model.members[0] = network
    found = lipschitz(
        Subject(model=one.model, images=torch.zeros(1, 3, 12, 10), labels=one.labels, settings=one.settings)
    )
    assert found.distinct("kind") == ["conv", "linear"]
    layer = network.body[3]
    error = (layer.effective_weight() - layer.weight.float_weight()).detach().double()
    columns = functional.conv2d(functional.pad(torch.eye(4 * 30).double().view(-1, 4, 6, 5), (3, 4, 3, 4)), error)
    assert found.rows[1][3] == pytest.approx(np.linalg.norm(columns.flatten(1).numpy(), 2), rel=1e-7)


def activation_by_hand(network, images):
    """The first hidden activation of fcn2, from its parts."""
    linear, norm, second = network.body[1], network.body[2], network.body[3]
    return second.activation(norm((4 * network.discretizer(images) - 2).flatten(1) @ linear.effective_weight().T))


@pytest.mark.parametrize("spec", ["fp", "pact2", "bnn"])
def test_the_first_activation_is_the_first_layers_output_normed_and_quantized(spec):
    one = subject(spec)
    network = one.model.members[0]
    assert torch.allclose(first_activation(network, one.images), activation_by_hand(network, one.images), atol=1e-5)


@pytest.mark.parametrize("spec", ["fp", "fp+pact2"])
def test_activations_are_those_of_fgsm_on_every_image(spec):
    found, one = table(spec, "activations"), subject(spec)
    images = one.images.clone().requires_grad_()
    logits = torch.stack([member(images) for member in one.model.members])
    sum(functional.cross_entropy(each, one.labels, reduction="sum") for each in logits).backward()
    for epsilon in (0.05, 0.2):
        moved = (one.images + epsilon * images.grad.sign()).clamp(0, 1)
        for number, member in enumerate(one.model.members, start=1):
            [row] = found.where(member=number, epsilon=epsilon).rows
            before, after = (activation_by_hand(member, each) for each in (one.images, moved))
            assert row[2] == pytest.approx(float(after.abs().sum(1).mean()), rel=1e-3)
            assert row[4] == pytest.approx(float((after - before).abs().sum(1).mean()), rel=1e-3)
            assert row[3] == pytest.approx(float(after.abs().sum(1).std()) / 300**0.5, rel=1e-2)


def test_one_bit_activations_keep_their_norm_and_show_in_how_far_they_move():
    found = table("bnn", "activations")
    assert set(found.numbers("l1")) == {75}
    assert set(found.numbers("l1_se")) == {0}
    moved = found.numbers("moved")
    assert moved[0] == 0
    assert moved == sorted(moved)
    assert moved[-1] > 10


def test_at_radius_zero_nothing_moves():
    found = activations(subject("fp", epsilon=0.0))
    assert found.rows[0][4:] == (0, 0)
    assert len(found.rows) == 1


def test_gradients_agree_with_differences():
    one = subject("fp")
    network, image, label = one.model.members[0].double(), one.images[:1].double(), one.labels[:1]
    [slope] = layer_gradients(network, image, label)["image"].flatten(1)
    for pixel in (300, 406, 500):
        shift = torch.zeros(784).double()
        shift[pixel] = 1e-6
        losses = [functional.cross_entropy(network(image + sign * shift.view_as(image)), label) for sign in (1, -1)]
        assert slope[pixel].item() == pytest.approx(float(losses[0] - losses[1]) / 2e-6, rel=1e-4, abs=1e-9)


def test_the_classifiers_gradient_is_its_residual():
    """dL/dz = p - y for softmax and cross-entropy, so dL/dx = Wᵀ(p - y)·1[x > 0] before the last ReLU."""
    one = subject("fp")
    network = one.model.members[0]
    classifier = network.body[-1]
    residual = network(one.images).softmax(1) - functional.one_hot(one.labels, 10)
    found = layer_gradients(network, one.images, one.labels)
    name = [name for name, _ in network.layers()][-1]
    assert torch.allclose(found[name], residual @ classifier.effective_weight(), atol=1e-5)
    rows = table("fp", "gradients").where(place=name)
    assert rows.numbers("gradient") == pytest.approx([float(found[name].abs().mean())], rel=1e-3)


@pytest.mark.parametrize("spec", ["fp", "fp+bnn"])
def test_gradients_are_given_from_the_image_to_the_classifier(spec):
    found, one = table(spec, "gradients"), subject(spec)
    names = [name for name, _ in one.model.members[0].layers()]
    for number, network in enumerate(one.model.members, start=1):
        rows = found.where(member=number)
        assert rows.distinct("place") == ["image", *names]
        images = one.images.clone().requires_grad_()
        functional.cross_entropy(network(images), one.labels, reduction="sum").backward()
        assert rows.numbers("gradient")[0] == pytest.approx(float(images.grad.abs().mean()), rel=1e-3)
        assert rows.numbers("zero_values")[0] == pytest.approx(float((images.grad == 0).float().mean()), abs=1e-3)
    assert set(found.numbers("zero_images")) == {0}


def test_a_saturated_softmax_shows():
    """Logits a thousand times as large: where the label is sure, p - y is exactly 0 in float32."""
    one = subject("fp")
    network = one.model.members[0]
    network.body[-1].weight.latent.mul_(1000)
    found = gradients(one).where(place="image")
    residual = network(one.images).softmax(1) - functional.one_hot(one.labels, 10)
    sure = float((residual == 0).all(1).float().mean())
    assert sure > 0.5
    assert found.numbers("zero_images") == pytest.approx([sure], abs=0.01)
    assert found.numbers("zero_values")[0] >= found.numbers("zero_images")[0]
