"""Carlini and Wagner's attack where the nearest adversary is known in closed form."""

import math

import pytest
import torch
from torch import Tensor, nn

from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.attacks.carlini import CarliniWagner, _Search, label_margin
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote

ANY = ThreatModel(epsilon=0.0)
WEIGHTS = torch.tensor([[1.0, -2.0, 0.5, 3.0], [-1.0, 1.0, 2.0, 0.0], [0.0, 0.5, -1.0, 1.0]])
THOROUGH = CarliniWagner(steps=100, search_steps=6, constant=0.1, rate=0.02)


class Linear(nn.Module):
    """Three logits of a 1×2×2 image; `shift` moves all of them, and nothing else."""

    def __init__(self, weights: Tensor = WEIGHTS, shift: float = 0.0) -> None:
        super().__init__()
        self.weights, self.bias, self.shift = weights, torch.tensor([0.1, -0.2, 0.3])[: len(weights)], shift

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) @ self.weights.T + self.bias + self.shift


def model(*members: nn.Module, majority: bool = False) -> Ensemble:
    vote = MajorityVote([False] * len(members)) if majority else MeanVote()
    return Ensemble(members or [Linear()], vote)  # type: ignore[arg-type]


def inner_images(count: int = 12) -> Tensor:
    """Far enough from 0 and 1 that the nearest adversary is an image too."""
    return 0.4 + 0.2 * torch.rand(count, 1, 2, 2, generator=stream(0, "inner"))


def attacked(attack: CarliniWagner, images: Tensor, victim: Ensemble, labels: Tensor | None = None) -> Attacked:
    labels = victim(images) if labels is None else labels
    return attack(victim, images, labels, ANY, stream(0, "unused"))


def nearest(images: Tensor, weights: Tensor = WEIGHTS) -> Tensor:
    """The distance of the nearest boundary, margin / ‖w_y - w_k‖, and what any correct attack cannot beat."""
    logits = Linear(weights)(images)
    label = logits.argmax(1)
    gaps = logits.gather(1, label[:, None]) - logits
    norms = (weights[label][:, None] - weights[None]).norm(dim=2)
    return torch.where(norms > 0, gaps / norms, torch.inf).amin(1)


def test_the_nearest_adversary_is_the_closed_form_one():
    images, two = inner_images(), WEIGHTS[:2]
    outcome = attacked(THOROUGH, images, model(Linear(two)))
    assert outcome.broken.all()
    assert (outcome.distances >= nearest(images, two) - 1e-6).all()
    assert outcome.distances.tolist() == pytest.approx(nearest(images, two).tolist(), rel=0.03, abs=1e-3)


def test_among_three_classes_nothing_is_nearer_than_the_nearest_boundary():
    images = inner_images()
    outcome = attacked(THOROUGH, images, model())
    assert outcome.broken.all()
    assert (outcome.distances >= nearest(images) - 1e-6).all()
    assert outcome.distances.mean() < 1.1 * nearest(images).mean()  # the likeliest other class may not be the nearest


def test_the_last_step_is_judged_too():
    """Adam's first step has the length of its rate along every hidden value: grey pixels go to (1 ± tanh(rate)) / 2."""
    grey, two = torch.full((1, 1, 2, 2), 0.5), WEIGHTS[:2]
    outcome = attacked(CarliniWagner(steps=1, rate=0.2), grey, model(Linear(two)))
    assert outcome.broken.all()
    expected = 0.5 - math.tanh(0.2) / 2 * (two[0] - two[1]).sign()
    assert torch.allclose(outcome.images.flatten(), expected, atol=1e-5)
    assert (outcome.forwards, outcome.backwards) == (1 + 2, 1)


def test_distances_are_those_of_the_images():
    outcome = attacked(CarliniWagner(), images := inner_images(), model())
    by_hand = [
        math.dist(a.flatten().tolist(), b.flatten().tolist()) for a, b in zip(outcome.images, images, strict=True)
    ]
    assert outcome.distances.tolist() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("shift", [-20.0, 20.0])
def test_only_differences_of_logits_matter(shift):
    images = inner_images()
    level, moved = (attacked(THOROUGH, images, model(Linear(shift=by))) for by in (0.0, shift))
    assert moved.broken.all()
    assert torch.allclose(moved.distances, level.distances, rtol=0.02, atol=1e-3)


def test_margins_of_negative_logits():
    logits = torch.tensor([[-3.0, -1.0, -2.0], [-3.0, -1.0, -2.0], [0.0, -1.0, 5.0]])
    assert label_margin(logits, torch.tensor([1, 0, 2])).tolist() == [1, -2, 5]


@pytest.mark.parametrize("pixel", [0.0, 1.0])
def test_pixels_at_the_end_of_the_range_move(pixel):
    images = torch.full((1, 1, 2, 2), pixel)
    victim = model(Linear(torch.tensor([[1.0, 1, 1, 1], [-1.0, -1, -1, -1]])))
    victim.members[0].bias = torch.tensor([-1.0, 1.0])  # the boundary is at a mean pixel of 1/4
    outcome = attacked(CarliniWagner(steps=120, search_steps=5), images, victim)
    assert outcome.broken.all()
    assert (outcome.images != pixel).all()
    assert outcome.distances.item() == pytest.approx(2 * abs(pixel - 0.25), rel=0.05)


def test_images_stay_in_the_range_and_what_stands_is_untouched():
    edge = torch.cat([torch.zeros(8, 1, 2, 2), torch.ones(8, 1, 2, 2), inner_images(8)])
    outcome = attacked(CarliniWagner(steps=20), edge, model())
    assert 0 <= outcome.images.min() <= outcome.images.max() <= 1
    never = attacked(CarliniWagner(steps=5, constant=0.0), edge, model())
    assert not never.broken.any()
    assert torch.equal(never.images, edge)
    assert not never.distances.any()


def test_each_image_finds_its_own_constant():
    images = inner_images()
    first = attacked(CarliniWagner(steps=100, search_steps=1, rate=0.05), images, model())
    searched = attacked(CarliniWagner(steps=100, search_steps=8, rate=0.05), images, model())
    assert (searched.distances <= first.distances).all()
    assert searched.distances.mean() < 0.95 * first.distances.mean()
    small = CarliniWagner(steps=100, search_steps=1, constant=1e-4, rate=0.05)
    assert attacked(small, images, model()).broken.sum() < len(images) / 2
    assert attacked(CarliniWagner(steps=100, search_steps=6, constant=1e-4, rate=0.05), images, model()).broken.all()


def test_the_constant_grows_tenfold_until_it_works_and_is_halved_in_between_after_that():
    victim, images = model(), inner_images(2)
    labels = victim(images)
    outcome = Attacked.untouched(victim, images, labels)
    search = _Search.start(CarliniWagner(constant=1.0), victim, labels, outcome, torch.arange(2))
    tried = []
    for fooled in ([False, True], [False, True], [True, False], [False, False], [True, True]):
        search.fooled = torch.tensor(fooled)
        search.bisect()
        tried.append(search.constant.tolist())
    assert tried == [[10, 0.5], [100, 0.25], [55, 0.375], [77.5, 0.4375], [66.25, 0.40625]]


def test_an_image_does_not_depend_on_its_batch_mates():
    images = inner_images()
    labels = model()(images)
    together = attacked(THOROUGH, images, model())
    alone = attacked(THOROUGH, images[3:4], model(), labels[3:4])
    assert alone.distances.item() == pytest.approx(together.distances[3].item(), rel=1e-3)


def test_confidence_asks_for_a_margin_beyond_the_boundary():
    images = inner_images()
    labels = model()(images)
    sure = attacked(CarliniWagner(steps=60, search_steps=4, confidence=0.5), images, model())
    assert sure.broken.all()
    assert (label_margin(Linear()(sure.images), labels) <= -0.5 + 1e-5).all()


def test_two_members_that_are_one_network_are_attacked_as_that_one():
    """The logits that are climbed are the members' mean: a sum would weigh distance for half as much."""
    images = inner_images()
    alone, twice = (attacked(THOROUGH, images, model(*[Linear()] * count)) for count in (1, 2))
    assert torch.allclose(twice.images, alone.images, atol=1e-5)


@pytest.mark.parametrize("majority", [False, True])
def test_an_ensemble_falls_by_its_own_vote(majority):
    """One loud member decides the mean logit; the vote of the three is another matter, and the attack goes on to it."""
    victim = model(Linear(10 * WEIGHTS), Linear(WEIGHTS[[0, 2, 1]]), Linear(WEIGHTS[[2, 1, 0]]), majority=majority)
    images = torch.rand(40, 1, 2, 2, generator=stream(0, "wide"))
    labels = victim(images)
    outcome = attacked(CarliniWagner(steps=100, search_steps=3), images, victim, labels)
    assert torch.equal(victim(outcome.images) != labels, outcome.broken)
    assert outcome.broken.float().mean() > 0.9
