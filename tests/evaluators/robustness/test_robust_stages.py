"""Which attacks a worst case is made of: stage by stage, for every kind of model."""

from dataclasses import replace

import pytest
import torch
from tiny_networks import drawn, pictures
from torch import nn

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import loss_gradient
from evaluators.attacks.halving import HalvingAscent
from evaluators.attacks.losses import break_margin, log_probabilities, rescaled, standardised
from evaluators.attacks.noise import Noise
from evaluators.attacks.square import Square
from evaluators.attacks.surrogates import through
from evaluators.attacks.transfer import Transfer
from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.stages import (
    Target,
    best_surrogate,
    black_box_stages,
    gradient_stages,
    refining_stages,
    square_stage,
    surrogate_stages,
)
from evaluators.votes import MajorityVote, MeanVote

EFFORT = Effort(steps=9, restarts=3, queries=100, sample=32)
FULL = (("rescaled", rescaled), ("margin", break_margin))
ONE_STEP = [
    ("one-step", Ascent(steps=1, step_size=1.0)),
    ("one-step", Ascent(steps=1, step_size=0.5, start="signs")),
]


def ensemble(*tokens: str, head: nn.Module | None = None) -> Ensemble:
    members = [drawn("fcn2", token) for token in tokens]
    vote = MajorityVote([False] * len(members)) if len(members) > 2 else MeanVote()
    return Ensemble([nn.Sequential(one, head) for one in members] if head else members, vote)


def target(model: Ensemble, *, flat: bool = False) -> Target:
    carrier = Transfer(attack=Ascent(steps=9, start="uniform"), source=ensemble("fp"))
    return Target(model=model, carriers=(carrier,), example=pictures("fcn2", 1), flat=flat)


def told(stages) -> list[tuple[str, object]]:
    return [(one.name, one.attack) for one in stages]


def full(name: str, loss) -> tuple[str, HalvingAscent]:
    return name, HalvingAscent(steps=9, restarts=3, loss=loss)


def test_a_float_network_is_climbed_by_both_losses():
    model = ensemble("fp")
    found = list(gradient_stages(target(model), EFFORT))
    assert told(found) == [*ONE_STEP, *(full(*one) for one in FULL)]
    assert all(one.model is model for one in found)


def test_where_something_quantizes_smooth_gradients_come_first_and_the_trained_ones_after():
    model = ensemble("bnn")
    found = list(gradient_stages(target(model), EFFORT))
    smooth = [full("smooth", loss) for _, loss in FULL]
    assert told(found) == [*ONE_STEP, *smooth, ("margin", HalvingAscent(steps=5, restarts=3))]
    assert [one.model is model for one in found] == [True, True, False, False, True]


def test_ensembles_and_outputs_that_are_probabilities_have_a_stage_more():
    several = told(gradient_stages(target(ensemble("fp", "fp", "fp")), EFFORT))
    assert several[-1] == ("standardised", HalvingAscent(steps=5, loss=standardised))
    sure = told(gradient_stages(target(ensemble("fp", head=nn.Softmax(1))), EFFORT))
    assert sure[-1] == ("logs", HalvingAscent(steps=9, loss=log_probabilities))
    assert [len(several), len(sure)] == [5, 5]


@pytest.mark.parametrize(
    ("breaks", "left", "followed"),
    [
        ({"smooth": 3, "window-free": 3}, 1, []),
        ({"smooth": 4, "window-free": 3}, 20, ["smooth"]),
        ({"smooth": 4, "window-free": 5}, 21, ["window-free"]),
        ({"smooth": 5, "window-free": 5}, 26, []),
    ],
)
def test_a_rule_that_broke_four_and_a_fifth_of_what_is_left_is_followed_further(breaks, left, followed):
    further = [HalvingAscent(steps=18), Ascent(steps=9, start="uniform", loss=rescaled)]
    found = told(surrogate_stages(target(ensemble("bnn")), EFFORT, breaks, left))
    assert found == [(name, attack) for name in followed for attack in further]


def test_a_rule_that_was_not_tried_is_tried_first_and_followed_if_that_tells():
    quick, breaks, found = HalvingAscent(steps=3), {"smooth": 0}, []
    for stage in surrogate_stages(target(ensemble("bnn")), EFFORT, breaks, 20):
        found.append((stage.name, stage.attack))
        breaks[stage.name] = 7
    assert found[0] == ("window-free", quick) and [name for name, _ in found] == ["window-free"] * 3
    assert told(surrogate_stages(target(ensemble("fp")), EFFORT, {}, 20)) == []


def test_a_twin_leads_where_there_are_no_gradients():
    model, images, labels = ensemble("fp", "bnn"), pictures("fcn2", 8), torch.arange(8) % 3
    one = replace(target(model, flat=True), example=images[:1])
    *_, stage = surrogate_stages(one, EFFORT, {"smooth": 0, "window-free": 0}, 20)
    assert (stage.name, stage.attack) == ("steered", Ascent(steps=18, start="uniform", restarts=4))
    assert torch.equal(stage.model.member_logits(images), model.member_logits(images))
    own, led = (loss_gradient(each, images, labels) for each in (model, stage.model))
    assert led.any() and not torch.allclose(led, own)


@pytest.mark.parametrize(
    ("breaks", "rule"),
    [
        ({}, "trained"),
        ({"smooth": 3, "window-free": 3}, "trained"),
        ({"smooth": 4}, "smooth"),
        ({"smooth": 4, "window-free": 5}, "window-free"),
    ],
)
def test_probes_take_the_gradients_that_broke_most(breaks, rule):
    model, images, labels = ensemble("bnn"), pictures("fcn2", 8), torch.arange(8) % 3
    found = best_surrogate(model, breaks)
    assert (found is model) == (rule == "trained")
    gradients = {
        one: loss_gradient(through(model, one), images, labels) for one in ("trained", "smooth", "window-free")
    }
    mine = loss_gradient(found, images, labels)
    assert [one for one, gradient in gradients.items() if torch.equal(gradient, mine)] == [rule]


def test_black_boxes_are_noise_corners_twins_and_square():
    one = target(ensemble("fp"))
    assert told(black_box_stages(one, EFFORT)) == [
        ("noise", Noise(kind="uniform", draws=8)),
        ("corners", Noise(kind="corners", draws=4)),
        ("transfer", one.carriers[0]),
    ]
    assert told([square_stage(one, EFFORT)]) == [("square", Square(queries=100, sample=32))]


def test_the_search_between_corners_ends_where_it_breaks_nothing_and_square_did_not():
    one, round_ = target(ensemble("fp")), Square(queries=100, sample=64, proposals=4, start="best")
    whole = [
        round_,
        replace(round_, queries=400, sample=24, proposals=8),
        replace(round_, queries=1600, sample=7, proposals=16),
        Square(queries=400, sample=16, proposals=8, start="stripes"),
    ]

    def rounds(square: int, broken: list[int]) -> list[object]:
        breaks, found, more = {"square": square}, [], iter(broken)
        for stage in refining_stages(one, EFFORT, breaks):
            found.append(stage.attack)
            breaks[stage.name] = breaks.get(stage.name, 0) + next(more)
        return found

    assert rounds(0, [0]) == whole[:1]
    assert rounds(0, [2, 1, 0]) == whole[:3]
    assert rounds(1, [0, 0, 0, 0]) == rounds(0, [1, 1, 1, 1]) == whole


def test_without_steps_no_stage_does_anything():
    idle, model = Effort(steps=0), ensemble("bnn")
    attacks = [attack for _, attack in told(gradient_stages(target(model), idle))]
    assert all(attack.steps == 0 for attack in attacks)
    assert all(attack.draws == 0 for name, attack in told(black_box_stages(target(model), idle)) if name != "transfer")
    assert square_stage(target(model), idle).attack.queries == 0
    assert next(iter(refining_stages(target(model), idle, {"square": 0}))).attack.queries == 0
