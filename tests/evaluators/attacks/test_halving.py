"""Auto-PGD: its schedule as published, its ball, and optima that are known."""

from collections import Counter

import pytest
import torch
from torch import Tensor, nn
from victims import digits, victim, watched

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.attacks.halving import HalvingAscent, checkpoints, corners
from evaluators.attacks.losses import break_margin
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from evaluators.votes import MeanVote

KINDS = ("fp", "bnn", "mean", "majority")


def attacked(attack: HalvingAscent | Ascent, kind: str, epsilon: float, seed: str = "noise") -> Attacked:
    images, labels = digits()
    return attack(victim(kind), images, labels, ThreatModel(epsilon=epsilon), stream(0, seed))


def test_checkpoints_are_the_papers():
    """Croce and Hein (2020), section 3.1, p = 0, 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99."""
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert all(0 < step <= steps for steps in range(1, 60) for step in checkpoints(steps))


@pytest.mark.parametrize("kind", KINDS)
def test_it_stays_in_the_ball_and_what_it_calls_broken_is(kind):
    images, labels = digits()
    outcome = attacked(HalvingAscent(steps=7, restarts=2), kind, 0.1)
    assert ((outcome.images.double() - images.double()).abs() <= 0.1).all()
    assert (outcome.images >= 0).all() and (outcome.images <= 1).all()
    assert torch.equal(victim(kind)(outcome.images) != labels, outcome.broken)


def test_corners_are_as_far_as_the_attacker_may_go():
    images, _ = digits()
    found = corners(images, 0.1, stream(0, "corners"))
    at_an_edge = torch.isclose((found - images).abs(), torch.tensor(0.1)) | (found == 0) | (found == 1)
    assert at_an_edge.all()
    assert 0.4 < (found > images)[(images > 0.2) & (images < 0.8)].float().mean() < 0.6


class Slanted(nn.Module):
    """z = (w·x + b, 0): the worst image is at the corner -ε·sign(w)."""

    def __init__(self, weight: Tensor, bias: float) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, images: Tensor) -> Tensor:
        first = images.flatten(1) @ self.weight + self.bias
        return torch.stack([first, torch.zeros_like(first)], 1)


@pytest.mark.parametrize("slack", [1e-3, -1e-3])
def test_a_linear_model_falls_exactly_when_its_corner_does(slack):
    weight = torch.randn(16, generator=stream(0, "weight"))
    image, epsilon = torch.full((1, 1, 4, 4), 0.5), 0.05
    bias = float(epsilon * weight.abs().sum() - 0.5 * weight.sum()) + slack
    model = Ensemble([Slanted(weight, bias)], MeanVote())
    outcome = HalvingAscent(steps=5)(model, image, torch.tensor([0]), ThreatModel(epsilon=epsilon), stream(0, "corner"))
    assert outcome.broken.tolist() == [slack < 0]


class Wavy(nn.Module):
    """z = (3 + a wave of the pixels, 0): a landscape of many hills, on which no decision falls."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.randn(16, 12, generator=stream(0, "waves"))

    def forward(self, images: Tensor) -> Tensor:
        first = 3 + (4 * (images.flatten(1) - 0.5) @ self.weight).sin().mean(1)
        return torch.stack([first, torch.zeros_like(first)], 1)


def by_the_paper(
    network: nn.Module, start: Tensor, centre: Tensor, epsilon: float, steps: int
) -> tuple[Tensor, Counter]:
    """Algorithm 1 of Croce and Hein (2020) for one image, with the departures that `HalvingAscent` names.

    Returns: the highest iterate, and how often each of the two conditions halved the step.
    """

    def inside(image: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(image, centre - epsilon), centre + epsilon).clamp(0, 1)

    now = before = best = start
    height = checked = last_loss = -torch.inf
    step, gained, checked_at, has_halved, halvings = 2 * epsilon, 0, 0, True, Counter()
    for k in range(steps + 1):
        now = now.detach().requires_grad_()
        loss = -network(now)[0, 0]
        (gradient,) = torch.autograd.grad(loss, now)
        now, value = now.detach(), loss.item()
        gained, last_loss = gained + (value > last_loss), value
        if value > height:
            height, best, best_gradient = value, now, gradient
        if k in checkpoints(steps) and k < steps:
            few, stuck = gained < 0.75 * (k - checked_at), not has_halved and height == checked
            halvings += Counter({"few": few, "stuck": stuck and not few})
            has_halved = few or stuck
            if has_halved:
                step, now, before, gradient = step / 2, best, best, best_gradient
            gained, checked_at, checked = 0, k, height
        ahead = inside(now + step * gradient.sign())
        now, before = inside(now + 0.75 * (ahead - now) + 0.25 * (now - before)), now
    return best, halvings


def test_it_is_the_papers_algorithm_image_by_image():
    images, steps, epsilon = 0.2 + 0.6 * torch.rand(40, 1, 4, 4, generator=stream(0, "images")), 12, 0.3
    network, halvings = Wavy(), Counter()
    model, labels = Ensemble([network], MeanVote()), torch.zeros(40, dtype=torch.int64)
    attack, start = HalvingAscent(steps=steps), corners(images, epsilon, stream(0, "corners"))
    outcome = attack(model, images, labels, ThreatModel(epsilon=epsilon), stream(0, "corners"))
    for place in range(40):
        best, halved = by_the_paper(network, start[[place]], images[[place]], epsilon, steps)
        assert torch.allclose(outcome.images[[place]], best, atol=1e-5)
        halvings += halved
    assert halvings["few"] > 40 and halvings["stuck"] > 0
    assert not outcome.broken.any()
    assert (outcome.forwards, outcome.backwards) == (40 * (1 + steps + 1), 40 * steps)


def test_an_image_that_stands_keeps_what_raised_its_loss_most():
    images, labels = digits()
    outcome = attacked(HalvingAscent(steps=10), "fp", 0.02)
    left = outcome.standing
    assert len(left) > 5
    with torch.no_grad():
        before = victim("fp").loss(victim("fp").member_logits(images), labels)
        after = victim("fp").loss(victim("fp").member_logits(outcome.images), labels)
    assert (after[left] >= before[left]).all()
    assert torch.allclose(after[left], outcome.loss[left], atol=1e-5)


def test_nothing_is_done_without_steps_and_what_has_fallen_is_left_alone():
    images, _ = digits()
    idle = attacked(HalvingAscent(steps=0), "fp", 0.3)
    assert torch.equal(idle.images, images) and idle.forwards == len(images)
    with watched(victim("fp")) as traffic:
        outcome = attacked(HalvingAscent(steps=8, restarts=3), "fp", 0.3)
    assert sum(traffic.forwards) == outcome.forwards
    assert sum(traffic.with_gradient) >= outcome.backwards
    assert traffic.forwards[-1] < len(images)


def test_more_starts_break_more_or_as_much():
    one, more = (attacked(HalvingAscent(steps=6, restarts=n), "majority", 0.06).broken for n in (1, 4))
    assert (one <= more).all()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_about_as_strong_as_plain_pgd_at_equal_steps_or_stronger(kind):
    plain = attacked(Ascent(steps=10, start="uniform"), kind, 0.06)
    halving = attacked(HalvingAscent(steps=10), kind, 0.06)
    assert int(halving.broken.sum()) >= int(plain.broken.sum()) - 1
    assert halving.broken.any()
    assert HalvingAscent(steps=10).loss is break_margin
