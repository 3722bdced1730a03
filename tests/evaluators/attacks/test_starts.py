"""Starts side by side: what one after the other would find, and no image is attacked once it has fallen."""

import weakref
from dataclasses import replace

import pytest
import torch

from evaluators.attacks import starts
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.attacks.halving import HalvingAscent
from evaluators.attacks.starts import Copies, climb_from
from evaluators.ensemble import Ensemble
from evaluators.networks.build import build
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from evaluators.votes import vote_named
from space import Precision


def outcome(count: int) -> Attacked:
    images = torch.arange(count).float().view(-1, 1, 1, 1)
    lowest = torch.full((count,), -1.0)
    return Attacked(origin=images, images=images.clone(), broken=lowest > 0, loss=lowest, forwards=count)


def network() -> Ensemble:
    member = build("mnistconv", Precision.parse("pact4"), Plan(shape=(1, 28, 28), classes=10, width=0.25))
    member.reset(stream(0, "weights"))
    return Ensemble([member], vote_named("mean", [False]))


@pytest.mark.parametrize("attack", [Ascent(steps=6, start="uniform", restarts=4), HalvingAscent(steps=6, restarts=4)])
def test_it_is_what_one_start_after_the_other_finds(attack, monkeypatch):
    model, images = network(), torch.rand(24, 1, 28, 28, generator=stream(0, "images"))
    labels, threat, draws = model(images), ThreatModel(epsilon=0.002), stream(0, "draws")
    alone, fallen = Attacked.untouched(model, images, labels), []
    for _ in range(4):
        replace(attack, restarts=1).go_on(alone, model, labels, threat, draws)
        fallen.append(int(alone.broken.sum()))
    assert 0 < fallen[0] < fallen[-1] < len(images)
    for at_once in (1, 60, 1000):
        monkeypatch.setattr(starts, "AT_ONCE", at_once)
        one = attack(model, images, labels, threat, stream(0, "draws"))
        assert torch.equal(one.broken, alone.broken)
        standing = alone.standing
        assert torch.allclose(one.loss[standing], alone.loss[standing], atol=1e-4)


def test_the_first_start_goes_alone_and_the_rest_fill_what_they_may(monkeypatch):
    monkeypatch.setattr(starts, "AT_ONCE", 24)
    seen = []

    def climb(part, labels, start):
        assert len(labels) == len(start) == len(part.broken)
        seen.append(len(start))
        if len(seen) == 1:
            part.broken[:4] = True

    result, drawn = outcome(12), iter(range(6))
    climb_from(6, result, torch.arange(12), lambda: torch.full((12, 1, 1, 1), float(next(drawn))), climb)
    assert seen == [12, 8 * 3, 8 * 2]
    assert next(drawn, None) is None


def test_copies_belong_to_the_images_and_starts_they_came_from():
    given = []

    def climb(part, labels, start):
        given.append((part.origin.flatten().tolist(), labels.tolist(), start.flatten().tolist()))
        part.broken[0] = True

    draws = iter(torch.arange(9.0).view(3, 3, 1, 1, 1))
    climb_from(3, outcome(3), torch.tensor([7, 8, 9]), lambda: next(draws), climb)
    assert given[0] == ([0, 1, 2], [7, 8, 9], [0, 1, 2])
    assert given[1] == ([1, 2, 1, 2], [8, 9, 8, 9], [4, 5, 7, 8])


def test_what_falls_from_one_start_is_left_by_all():
    copies = Copies.of(outcome(3), 2)
    standing, fallen = torch.tensor([0, 1, 2, 3, 5]), torch.tensor([False, True, False, False, False])
    assert standing[copies.left(standing, fallen)].tolist() == [0, 2, 3, 5]  # 4, the other copy of 1, had left


def test_of_each_image_the_copy_that_fell_or_the_highest_is_kept():
    copies = Copies.of(outcome(3), 3)
    copies.images = torch.arange(9.0).view(-1, 1, 1, 1)
    copies.broken[4] = True
    copies.loss = torch.tensor([0.0, 9, 1, 5, 2, 0, 3, 4, 7])
    copies.forwards, copies.backwards = 11, 5
    best = copies.best()
    assert best.images.flatten().tolist() == [3, 4, 8]
    assert best.broken.tolist() == [False, True, False]
    assert (best.forwards, best.backwards) == (11, 5)


def test_no_start_draws_nothing_and_every_start_draws_even_where_nothing_stands():
    result, draws = outcome(2), []
    result.broken[:] = True
    for count in (0, 3):
        draws.clear()
        climb_from(count, result, torch.zeros(2), lambda: draws.append(1) or torch.zeros(2, 1, 1, 1), lambda *_: None)
        assert len(draws) == count


def test_of_the_whole_batch_one_start_is_held_at_a_time():
    drawn, held = [], []

    def begin():
        held.append(sum(one() is not None for one in drawn))
        start = torch.zeros(12, 1, 1, 1)
        drawn.append(weakref.ref(start))
        return start

    result = outcome(12)
    result.broken[1:] = True
    climb_from(9, result, torch.arange(12), begin, lambda *_: None)
    assert len(held) == 9
    assert max(held) == 0
