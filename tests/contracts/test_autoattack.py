"""pyautoattack behind our interface: what it may do, and what is believed of it."""

import sys

import pytest
import torch
from torch import Tensor, nn
from victims import digits, same, state_of, victim

from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.ensemble import Ensemble
from evaluators.robustness.verification.autoattack import METHODS, STANDARD, External, available, require
from evaluators.robustness.verification.score import Score, led_by
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote
from space.errors import UserError

EPSILON = 0.05
THREAT = ThreatModel(epsilon=EPSILON)
KINDS = ("fp", "bnn", "mean", "majority")


def external(method: str, **settings: int) -> External:
    return External(**{"method": method, "steps": 8, "targets": 2, "queries": 40, **settings})


def attacked(attack: External, model: Ensemble, images: Tensor, labels: Tensor) -> Attacked:
    return attack(model, images, labels, THREAT, stream(0, "external"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_decides_as_the_ensemble_does(kind: str) -> None:
    images, _ = digits()
    assert torch.equal(Score(victim(kind))(images).argmax(1), victim(kind)(images))


class Colourful(nn.Module):
    """A convolution of colour images."""

    def __init__(self) -> None:
        super().__init__()
        draw = stream(0, "colourful")
        self.kernel = torch.randn(8, 3, 3, 3, generator=draw)
        self.last = torch.randn(8, 5, generator=draw)

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.conv2d(images, self.kernel).tanh().mean((2, 3)) @ self.last


@pytest.mark.parametrize("method", sorted({*METHODS, *STANDARD}))
def test_colour_images_can_be_attacked(method: str) -> None:
    model, images = Ensemble([Colourful()], MeanVote()), torch.rand(12, 3, 8, 8, generator=stream(0, "images"))
    images = images.contiguous(memory_format=torch.channels_last)  # as an evaluation has them
    outcome = external(method)(model, images, model(images), ThreatModel(epsilon=0.5), stream(0, "external"))
    assert outcome.broken.any()


def test_the_score_of_a_mean_vote_has_the_gradient_of_its_probability() -> None:
    images, labels = digits(4)
    model = victim("mean")
    images = images.clone().requires_grad_()
    probability = model.member_logits(images).softmax(2).mean(0).gather(1, labels[:, None]).log()
    expected = torch.autograd.grad(probability.sum(), images)[0]
    score = Score(model)(images).gather(1, labels[:, None])
    assert torch.allclose(torch.autograd.grad(score.sum(), images)[0], expected, atol=1e-5)


def test_the_score_of_a_majority_is_the_mean_logit_with_the_decided_class_on_top() -> None:
    images, _ = digits()
    model = victim("majority")
    logits, found = model.member_logits(images).mean(0).tolist(), Score(model)(images).tolist()
    for mean, score, decided in zip(logits, found, model(images).tolist(), strict=True):
        best_other = max(value for place, value in enumerate(mean) if place != decided)
        lead = mean[decided] - best_other
        expected = [value - best_other for value in mean]
        expected[decided] = 1 + lead if lead > 0 else 1 / (1 - lead)
        assert score == pytest.approx(expected, abs=1e-4)


def test_a_raised_score_rises_with_its_lead_however_far_it_is_behind() -> None:
    own = torch.linspace(-2000, 2000, 4001)
    raised = led_by(torch.zeros(4001, dtype=torch.int64), torch.stack([own, torch.zeros_like(own)], 1))
    assert (raised[:, 0] > raised[:, 1]).all()
    assert (raised[:, 0].diff() > 0).all()
    assert not raised[:, 1].any()


@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_a_raised_score_is_the_largest_however_large_scores_are(size: float) -> None:
    scores = size * torch.randn(1000, 3, generator=stream(0, "scores"))
    decided = torch.randint(3, (1000,), generator=stream(0, "decided"))
    assert torch.equal(led_by(decided, scores).argmax(1), decided)


@pytest.mark.parametrize("method", sorted({*METHODS, *STANDARD}))
@pytest.mark.parametrize("kind", KINDS)
def test_what_falls_is_in_the_ball_and_wrong(method: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = digits()
    model = victim(kind)
    clean = model(images) == labels
    before, numbers = state_of(model), torch.get_rng_state()
    outcome = attacked(external(method), model, images, labels)
    assert torch.equal(torch.get_rng_state(), numbers)
    assert all(map(same, state_of(model), before))
    moved = outcome.images.double() - images.double()
    assert moved.abs().max() <= EPSILON
    assert 0 <= outcome.images.min() <= outcome.images.max() <= 1
    assert torch.equal(model(outcome.images) != labels, outcome.broken)
    assert (outcome.broken & clean).any()
    assert capsys.readouterr() == ("", "")


def test_passes_are_counted_and_what_has_fallen_costs_nothing() -> None:
    images, labels = digits(12)
    outcome = Attacked.untouched(victim("fp"), images, labels)
    outcome.broken[:] = True
    spent = (outcome.forwards, outcome.backwards)
    external("apgd-ce").go_on(outcome, victim("fp"), labels, THREAT, stream(0, "external"))
    assert (outcome.forwards, outcome.backwards) == spent
    outcome = attacked(external("apgd-ce", steps=8), victim("fp"), images, labels)
    standing = int((victim("fp")(images) == labels).sum())
    assert outcome.backwards == 9 * standing


class Fixed(nn.Module):
    """Logits of three classes that rise with the image's mean at different rates."""

    def __init__(self, at_zero: list[float], rates: list[float]) -> None:
        super().__init__()
        self.at_zero, self.rates = torch.tensor(at_zero), torch.tensor(rates)

    def forward(self, images: Tensor) -> Tensor:
        return self.at_zero + images.flatten(1).mean(1, keepdim=True) * self.rates


def test_an_image_that_only_the_mean_gets_wrong_is_attacked_all_the_same() -> None:
    """Two quiet members vote for class 0, one loud one for class 1: the mean says 1, the vote 0, until they turn."""
    quiet, loud = Fixed([0.1, 0.0, 0.0], [-9.0, 0.0, 0.0]), Fixed([0.0, 50.0, 0.0], [0.0, 0.0, 0.0])
    model = Ensemble([quiet, quiet, loud], MajorityVote([False] * 3))
    images, labels = torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64)
    assert (model(images) == 0).all()
    assert (model.member_logits(images).mean(0).argmax(1) == 1).all()
    outcome = attacked(external("apgd-ce"), model, images, labels)
    assert outcome.broken.all()
    assert torch.equal(model(outcome.images), torch.ones(2, dtype=torch.int64))


def test_an_image_on_which_members_are_too_sure_to_tell_apart_is_attacked_all_the_same() -> None:
    """float32 has both classes equally likely; the surer member decides for class 1, until it is less sure."""
    less, more = Fixed([40.0, 0.0, 0.0], [0.0, 0.0, 0.0]), Fixed([0.0, 60.0, 0.0], [0.0, -900.0, 0.0])
    model = Ensemble([less, more], MeanVote())
    images, labels = torch.zeros(2, 1, 4, 4), torch.ones(2, dtype=torch.int64)
    assert (model(images) == 1).all()
    assert torch.equal(Score(model)(images).argmax(1), labels)
    assert attacked(external("square"), model, images, labels).broken.all()


@pytest.mark.parametrize(("method", "falls"), [("apgd-ce", True), ("apgd-dlr", False), ("apgd-t", False)])
def test_losses_that_need_more_classes_are_left_out(method: str, falls: bool) -> None:
    model = Ensemble([Fixed([0.1, 0.0], [-9.0, 0.0])], MeanVote())
    images, labels = torch.zeros(1, 1, 4, 4), torch.zeros(1, dtype=torch.int64)
    assert bool(attacked(external(method), model, images, labels).broken) is falls


def test_it_is_missed_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available()
    require()
    monkeypatch.setitem(sys.modules, "pyautoattack", None)
    assert not available()
    images, labels = digits(2)
    with pytest.raises(UserError, match=r"pyautoattack is not installed; hint: pip install 'bitfront\[audit\]'"):
        attacked(external("square"), victim("fp"), images, labels)
