"""Votes against a re-implementation in plain Python, over every ballot; and whose gradients they average."""

import math
from decimal import Decimal, localcontext
from itertools import permutations, product

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st
from tiny_networks import drawn, pictures
from torch import Tensor, nn

from evaluators.attacks.losses import Loss, break_margin, standardised
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote, Vote, vote_named

CLASSES = 3
FLOAT_OR_NOT = [kinds for count in range(1, 5) for kinds in product([True, False], repeat=count)]
"""Which members are of full precision, for one to four members."""


def all_ballots(members: int, draws: int = 4) -> Tensor:
    """Logits (members × N × classes) in which every combination of members' own classes comes `draws` times."""
    ballots = torch.tensor(list(product(range(CLASSES), repeat=members)) * draws).T
    logits = torch.randn(members, ballots.shape[1], CLASSES, generator=stream(0, "ballots", str(members)))
    own = logits.argmax(2)
    swapped = logits.gather(2, own[..., None]).clone()
    logits.scatter_(2, own[..., None], logits.gather(2, ballots[..., None]))
    return logits.scatter_(2, ballots[..., None], swapped)


def probabilities(logits: list[float]) -> list[float]:
    powers = [math.exp(value) for value in logits]
    return [power / sum(powers) for power in powers]


def best(scores: list[float], among: set[int]) -> int:
    return max(sorted(among), key=lambda c: scores[c])


def by_mean(logits: list[list[float]]) -> int:
    each = [probabilities(one) for one in logits]
    return best([sum(column) for column in zip(*each, strict=True)], set(range(CLASSES)))


def by_majority(logits: list[list[float]], kinds: tuple[bool, ...]) -> int:
    own = [best(one, set(range(CLASSES))) for one in logits]
    votes = [own.count(c) for c in range(CLASSES)]
    tied = {c for c in range(CLASSES) if votes[c] == max(votes)}
    of_floats = tied & {c for c, is_float in zip(own, kinds, strict=True) if is_float}
    each = [probabilities(one) for one in logits]
    return best([sum(column) for column in zip(*each, strict=True)], of_floats or tied)


def images_of(logits: Tensor) -> list[list[list[float]]]:
    return logits.transpose(0, 1).double().tolist()


@pytest.mark.parametrize("members", range(1, 5))
def test_all_ballots_come(members):
    assert len(all_ballots(members).argmax(2).unique(dim=1).T) == CLASSES**members


@pytest.mark.parametrize("members", range(1, 5))
def test_the_mean_vote_is_the_highest_mean_probability_and_all_members_count(members):
    logits = all_ballots(members)
    assert MeanVote().predict(logits).tolist() == [by_mean(image) for image in images_of(logits)]
    assert MeanVote().voters(logits).tolist() == [[True] * logits.shape[1]] * members


@pytest.mark.parametrize("kinds", FLOAT_OR_NOT, ids=lambda kinds: "".join("f" if k else "q" for k in kinds))
def test_the_majority_vote_is_its_rule_and_the_winners_count(kinds):
    logits, vote = all_ballots(len(kinds)), MajorityVote(kinds)
    expected = [by_majority(image, kinds) for image in images_of(logits)]
    assert vote.predict(logits).tolist() == expected
    winners = [
        [best(one, set(range(CLASSES))) == won for one in image]
        for image, won in zip(images_of(logits), expected, strict=True)
    ]
    assert vote.voters(logits).T.tolist() == winners
    assert all(map(any, winners))


@pytest.mark.parametrize("kinds", [kinds for kinds in FLOAT_OR_NOT if len(kinds) > 1])
def test_the_order_of_members_does_not_matter(kinds):
    logits = all_ballots(len(kinds))
    for order in permutations(range(len(kinds))):
        moved = logits[list(order)]
        assert torch.equal(MeanVote().predict(moved), MeanVote().predict(logits))
        vote = MajorityVote([kinds[i] for i in order])
        assert torch.equal(vote.predict(moved), MajorityVote(kinds).predict(logits))
        assert torch.equal(vote.voters(moved), MajorityVote(kinds).voters(logits)[list(order)])


def test_three_members_are_wrong_exactly_when_empir_says_so():
    """With ties to the float member: it and another are wrong, or the two others agree on one wrong class."""
    logits = all_ballots(3)
    own, right = logits.argmax(2), 0
    wrong = MajorityVote([True, False, False]).predict(logits) != right
    full, one, two = own
    published = ((full != right) & ((one != right) | (two != right))) | ((one == two) & (one != right))
    assert torch.equal(wrong, published)


def decided(vote: Vote, *logits: list[float]) -> int:
    return int(vote.predict(torch.tensor(logits)[:, None])[0])


def test_ties_of_a_majority_by_hand():
    sure, unsure = [9.0, 0.0, 0.0], [0.0, 0.1, 0.0]
    assert decided(MajorityVote([False, True]), sure, unsure) == 1
    assert decided(MajorityVote([False, False]), sure, unsure) == 0
    assert decided(MajorityVote([True, True]), sure, unsure) == 0
    assert decided(MajorityVote([True, False, False]), sure, unsure, unsure) == 1
    assert decided(MajorityVote([False, False, True]), sure, unsure, [0.0, 0.0, 1.0]) == 2


@pytest.mark.parametrize("vote", [MeanVote(), MajorityVote([False, False]), MajorityVote([True, True])])
def test_members_too_sure_to_tell_apart_are_told_apart_by_their_leads(vote):
    """In float32 a probability is exactly 1 from a lead of 17 on; the class is that of the higher mean all the same."""
    for first, second in ((40.0, 60.0), (60.0, 40.0), (25.0, 180.0), (300.0, 120.0)):
        logits = [first, 0.0, 0.0], [0.0, 0.0, second]
        with localcontext(prec=200):
            each = [[Decimal(one).exp() / sum(Decimal(other).exp() for other in row) for one in row] for row in logits]
            mean = [sum(column) for column in zip(*each, strict=True)]
            assert decided(vote, *logits) == mean.index(max(mean))


def test_equal_logits_go_to_the_lowest_class():
    for vote in (MeanVote(), MajorityVote([False, False]), MajorityVote([True, True])):
        assert decided(vote, [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]) == 0


eighths = st.integers(-160, 160).map(lambda value: value / 8)  # float32 probabilities tell them apart


@given(st.lists(st.lists(eighths, min_size=3, max_size=3), min_size=1, max_size=4), st.integers(0, 15))
def test_every_vote_takes_a_class_that_some_member_backs(logits, pattern):
    kinds = [bool(pattern >> i & 1) for i in range(len(logits))]
    stacked = torch.tensor(logits)[:, None]
    vote = MajorityVote(kinds)
    assert int(vote.predict(stacked)) in stacked.argmax(2).flatten().tolist()
    assert vote.voters(stacked).any()
    if len(logits) == 1:
        assert torch.equal(vote.predict(stacked), MeanVote().predict(stacked))


@pytest.mark.parametrize("kinds", FLOAT_OR_NOT, ids=lambda kinds: "".join("f" if k else "q" for k in kinds))
@pytest.mark.parametrize("label", range(CLASSES))
def test_a_margin_is_above_zero_exactly_where_the_vote_is_broken(kinds, label):
    logits = all_ballots(len(kinds), draws=12)
    labels = torch.full((logits.shape[1],), label)
    for vote in (MeanVote(), MajorityVote(kinds)):
        margin = vote.margin(logits, labels)
        assert torch.equal(margin > 0, vote.predict(logits) != labels)
        assert (margin != 0).all()


def climbed(vote: Vote, loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
    """Which decisions are lost when each logit may move freely: nothing stands in the way but the rule itself."""
    model, moved = Ensemble([nn.Flatten()] * len(logits), vote), logits.clone().requires_grad_()
    lost = torch.zeros_like(labels, dtype=torch.bool)
    for _ in range(40):
        (gradient,) = torch.autograd.grad(loss(model, moved, labels).sum(), moved)
        moved = (moved + gradient).detach().requires_grad_()
        lost |= vote.predict(moved.detach()) != labels
    return lost


@pytest.mark.parametrize("kinds", [(True,), (False, False), (True, False), (True, False, False), (True, True, False)])
def test_climbing_breaks_every_vote(kinds):
    """The margin alone, but where members are sure of different classes: a mean of probabilities is flat there."""
    logits = 3 * all_ballots(len(kinds), draws=1)
    for vote in (MeanVote(), MajorityVote(kinds)):
        labels = vote.predict(logits)
        by_margin = climbed(vote, break_margin, logits, labels)
        assert by_margin.float().mean() > 0.6
        assert (by_margin | climbed(vote, standardised, logits, labels)).all()


def test_margins_by_hand():
    logits = torch.tensor([[[3.0, 1.0, 0.0]], [[2.0, 1.5, 0.0]], [[0.0, 4.0, 0.0]]])
    assert MajorityVote([True, False, False]).margin(logits, torch.tensor([0])).item() == pytest.approx(-0.5)
    single = torch.tensor([[[3.0, 1.0, 0.0]]])
    for vote in (MeanVote(), MajorityVote([True]), MajorityVote([False])):
        assert vote.margin(single, torch.tensor([0])).item() == pytest.approx(-2.0)
        assert vote.margin(single, torch.tensor([1])).item() == pytest.approx(2.0)


def test_a_mean_of_probabilities_that_are_all_used_up_still_has_a_margin():
    logits = torch.tensor([[[90.0, 0.0, 30.0]], [[80.0, 0.0, 20.0]]], requires_grad=True)
    margin = MeanVote().margin(logits, torch.tensor([0]))
    (gradient,) = torch.autograd.grad(margin.sum(), logits)
    assert margin.item() == pytest.approx(math.log((math.exp(-60) + math.exp(-60)) / 2))
    assert gradient[:, 0, 0].tolist() == pytest.approx([-0.5, -0.5], abs=1e-4)
    assert gradient[:, 0, 2].tolist() == pytest.approx([0.5, 0.5], abs=1e-4)


def test_votes_by_name():
    assert isinstance(vote_named(None, [True]), MeanVote)
    assert isinstance(vote_named("mean", [True, False]), MeanVote)
    majority = vote_named("majority", [False, True, True])
    assert isinstance(majority, MajorityVote)
    assert majority.full_precision == [1, 2]


TOKENS = ("fp", "dorefa4-2", "mbn2x2", "xnor")


def ensemble(vote: Vote) -> Ensemble:
    return Ensemble([drawn("fcn2", token, seed=token) for token in TOKENS], vote)


@pytest.mark.parametrize("name", ["mean", "majority"])
def test_the_gradient_is_the_average_over_the_members_that_the_vote_names(name):
    model, images, labels = (
        ensemble(vote_named(name, [True, False, False, False])),
        pictures("fcn2", 30),
        torch.arange(30) % 3,
    )
    attacked = images.clone().requires_grad_()
    logits = model.member_logits(attacked)
    loss = model.loss(logits, labels)
    (ours,) = torch.autograd.grad(loss.sum(), attacked)
    each, losses = [], []
    for member in model.members:
        alone = images.clone().requires_grad_()
        single = functional.cross_entropy(member(alone), labels, reduction="none")
        losses.append(single.detach())
        each.append(torch.autograd.grad(single.sum(), alone)[0])
    kinds = (True, False, False, False)
    differing = 0
    for i, image in enumerate(images_of(logits.detach())):
        won = by_majority(image, kinds)
        counted = [m for m in range(4) if name == "mean" or best(image[m], set(range(CLASSES))) == won]
        differing += len(counted) < 4
        assert torch.allclose(ours[i], torch.stack([each[m][i] for m in counted]).mean(0), atol=1e-6)
        assert loss[i].item() == pytest.approx(sum(losses[m][i].item() for m in counted) / len(counted), rel=1e-5)
    assert differing == 0 if name == "mean" else differing > 5


def test_an_ensemble_of_one_is_its_member():
    member, images = drawn("fcn2", "mbn2x2"), pictures("fcn2", 20)
    model = Ensemble([member], MeanVote())
    logits = model.member_logits(images)
    assert torch.equal(logits, member(images)[None])
    assert torch.equal(model(images), member(images).argmax(1))
    expected = functional.cross_entropy(member(images), torch.zeros(20, dtype=torch.int64), reduction="none")
    assert torch.allclose(model.loss(logits, torch.zeros(20, dtype=torch.int64)), expected)


def test_members_are_frozen_and_in_eval_mode():
    member = drawn("fcn2", "mbn2x2").train().requires_grad_(True)
    model = Ensemble([member, drawn("fcn2", "fp").train()], MeanVote())
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model(pictures("fcn2", 3)).requires_grad


def test_members_see_one_discretised_image():
    model = Ensemble([drawn("fcn2", token, input_bits=2) for token in ("fp", "xnor")], MeanVote())
    images = pictures("fcn2", 50)
    assert model.discretise(images).mul(255).round().unique().tolist() == [32, 96, 160, 224]
    assert torch.equal(model(model.discretise(images)), model(images))
