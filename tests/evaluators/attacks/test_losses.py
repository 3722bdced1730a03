"""Losses that attacks climb: flat nowhere that matters, and each against its formula in double precision."""

import math

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from evaluators.attacks.losses import break_margin, log_probabilities, plain, rescaled, standardised
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote

LABELS = torch.tensor([0, 2, 1, 4])


def model(members: int = 1) -> Ensemble:
    return Ensemble([nn.Flatten() for _ in range(members)], MeanVote())


def drawn(members: int = 1, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(members, len(LABELS), 5, generator=stream(0, "logits"))


def gradient(loss, logits: Tensor) -> Tensor:
    logits = logits.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(model(len(logits)), logits, LABELS).sum(), logits)
    return found


def test_plain_is_the_cross_entropy_and_is_flat_where_it_saturates():
    logits = drawn()
    assert torch.allclose(plain(model(), logits, LABELS), functional.cross_entropy(logits[0], LABELS, reduction="none"))
    logits[0, range(4), LABELS] = logits.amax() + 20
    assert (gradient(plain, 10 * logits)[0].gather(1, LABELS[:, None]) == 0).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e5])
@pytest.mark.parametrize("loss", [rescaled, standardised])
def test_no_scale_of_logits_changes_the_loss(loss, scale):
    logits = drawn(2)
    assert torch.allclose(loss(model(2), scale * logits, LABELS), loss(model(2), logits, LABELS), rtol=1e-3)
    found = gradient(loss, scale * logits)
    assert (found.abs().sum(2) > 0).all(), "no image without a gradient"


@pytest.mark.parametrize("loss", [rescaled, standardised])
def test_every_image_of_every_member_has_its_own_scale(loss):
    """Else what an attack climbs on one image would depend on the others of its batch."""
    logits, scales = drawn(2), 10.0 ** torch.randint(-2, 3, (2, len(LABELS), 1), generator=stream(0, "scales"))
    assert len(scales.unique()) > 2
    assert torch.allclose(loss(model(2), scales * logits, LABELS), loss(model(2), logits, LABELS), rtol=1e-4)


def test_rescaled_leaves_one_per_cent_to_the_classes_behind():
    """Logits of which one leads and the others are equal: the first has the probability 1 - ρ exactly."""
    logits = torch.zeros(1, 1, 10)
    logits[0, 0, 3] = 77.0
    loss = rescaled(model(), logits, torch.tensor([3]))
    assert loss.item() == pytest.approx(-math.log(0.99), rel=1e-4)


def test_standardised_against_its_formula_in_double_precision():
    logits = drawn(3, scale=5.0)
    exact = logits.double().numpy()
    each = (exact - exact.mean(2, keepdims=True)) / exact.std(2, ddof=1, keepdims=True)
    mean = each.mean(0)
    expected = [
        max(v for c, v in enumerate(row) if c != y) - row[y] for row, y in zip(mean, LABELS.tolist(), strict=True)
    ]
    assert standardised(model(3), logits, LABELS).tolist() == pytest.approx(expected, rel=1e-4)


def test_break_margin_is_that_of_the_vote():
    logits = drawn(3)
    voting = Ensemble([nn.Flatten() for _ in range(3)], MajorityVote([True, False, False]))
    assert torch.equal(break_margin(voting, logits, LABELS), voting.vote.margin(logits, LABELS))


def test_logs_of_probabilities_are_the_margin_that_the_softmax_hid():
    logits = drawn(scale=10.0)
    expected = break_margin(model(), logits, LABELS)
    assert torch.allclose(log_probabilities(model(), logits.softmax(2), LABELS), expected, atol=1e-3)
    nothing = torch.zeros(1, 1, 3)
    nothing[0, 0, 0] = 1.0
    assert log_probabilities(model(), nothing, torch.tensor([0])).isfinite().all()


@given(st.lists(st.floats(-50, 50, width=32), min_size=5, max_size=5), st.integers(0, 4))
def test_every_loss_is_finite(row, label):
    logits, labels = torch.tensor(row).view(1, 1, 5), torch.tensor([label])
    for loss in (plain, rescaled, standardised, break_margin):
        assert loss(model(), logits, labels).isfinite().all()
