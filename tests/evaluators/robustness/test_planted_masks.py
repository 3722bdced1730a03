"""Masks that were planted on purpose: none may pass as ok, and each worst case must fall to that of the bare model.

The networks are small, really trained on real digits, and broken to the last image at no radius here: 2 points of an
accuracy between 10 and 60 % mean something.
"""

from functools import cache

import pytest
import torch
from planted import (
    counted,
    in_training_mode,
    narrowed,
    noisy,
    probabilities,
    rounded,
    rounded_honestly,
    rounded_out_of_sight,
    scaled,
)
from victims import images_of_digits, victim

from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.worst_case import Findings, WorstCase
from evaluators.verdict import rules_in, worst

IMAGES = 100
BARE = {
    "rounded": lambda: rounded_honestly(victim("fp")),
    "rounded out of sight": lambda: rounded_honestly(victim("fp")),
    "logits times 1000": lambda: victim("fp"),
    "probabilities": lambda: victim("fp"),
    "training mode": lambda: victim("fp"),
    "noise": lambda: victim("fp"),
    "closed windows": lambda: victim("bnn"),
    "ballots": lambda: victim("majority"),
}
MASKED = {
    "rounded": lambda: rounded(victim("fp")),
    "rounded out of sight": lambda: rounded_out_of_sight(victim("fp")),
    "logits times 1000": lambda: scaled(victim("fp")),
    "probabilities": lambda: probabilities(victim("fp")),
    "training mode": lambda: in_training_mode(victim("fp")),
    "noise": lambda: noisy(victim("fp")),
    "closed windows": lambda: narrowed(victim("bnn")),
    "ballots": lambda: counted(victim("majority")),
}
RULE = {
    "rounded": "zero-gradient",
    "rounded out of sight": "no-gradient",
    "logits times 1000": "zero-gradient",
    "probabilities": "probabilities",
    "training mode": "training-mode",
    "noise": "nondeterministic",
    "closed windows": "gap",
    "ballots": "counts",
}
EPSILON = {"ballots": 0.2}
"""Of ballots alone no gradient is left: their members' adversaries carry over where there is room for them."""


pytestmark = pytest.mark.usefixtures("one_thread")


def found(model: Ensemble, epsilon: float, where: str = "raw") -> Findings:
    attack = WorstCase(epsilon=epsilon, effort=Effort(), seed=0, threat=where, twins=(victim("fp"),))
    return attack(model, images_of_digits(IMAGES))


@cache
def bare(name: str) -> Findings:
    return found(BARE[name](), EPSILON.get(name, 0.06))


def accuracy(stands: torch.Tensor) -> float:
    return float(stands.float().mean())


@pytest.mark.parametrize("name", MASKED)
def test_a_planted_mask_is_found_and_seen_through(name):
    masked = found(MASKED[name](), EPSILON.get(name, 0.06))
    assert worst(masked.flags) != "ok"
    assert RULE[name] in rules_in(masked.flags)
    assert accuracy(masked.standing) <= accuracy(bare(name).standing) + 0.02


@pytest.mark.parametrize("name", ["rounded", "rounded out of sight", "logits times 1000", "closed windows", "ballots"])
def test_the_mask_would_have_fooled_plain_pgd(name):
    """Without this the tests above could pass with an attack that sees through nothing."""
    masked = found(MASKED[name](), EPSILON.get(name, 0.06))
    assert accuracy(masked.naive) >= accuracy(bare(name).standing) + 0.1


def test_two_bits_attacked_behind_the_discretizer():
    model, epsilon = victim("fp, 2-bit input"), 0.12
    honest, masked = found(model, epsilon), found(model, epsilon, where="discretised")
    assert accuracy(masked.naive) == accuracy(masked.clean), "within a bin nothing moves"
    assert worst(masked.flags) != "ok" and "discretizer" in rules_in(masked.flags)
    assert accuracy(masked.standing) <= accuracy(honest.standing) + 0.02


def test_two_bits_whose_worst_case_is_too_good_for_an_attacker_behind_the_discretizer():
    """From a bin's centre, more than half a bin leads out of it; black pixels before the discretizer stay in theirs."""
    model, epsilon = victim("fp, 2-bit input"), 0.2
    honest, behind = found(model, epsilon), found(model, epsilon, where="discretised")
    assert accuracy(behind.naive) < accuracy(behind.standing) - 0.05
    assert behind.evidence["behind"].images == int((behind.standing & ~behind.naive).sum())
    assert worst(behind.flags) == "masked" and "behind" in rules_in(behind.flags)
    assert "behind" not in honest.evidence and "behind" not in rules_in(honest.flags)


def test_without_a_discretizer_there_is_nothing_to_stand_behind():
    """Plain PGD is then that of the worst case, and so are its breaks and what the rules see."""
    before, behind = (found(victim("fp"), 0.06, where) for where in ("raw", "discretised"))
    assert behind.breaks == before.breaks
    assert behind.evidence == before.evidence
    assert behind.flags == before.flags


def test_a_plain_network_is_ok():
    assert worst(bare("logits times 1000").flags) == "ok"
    assert worst(found(rounded_honestly(victim("fp")), 0.06).flags) == "ok"


def test_a_network_that_was_trained_on_adversaries_is_ok_and_more_robust():
    hardened = found(victim("hardened"), 0.06)
    assert worst(hardened.flags) == "ok", hardened.evidence
    assert accuracy(hardened.standing) > accuracy(bare("probabilities").standing) + 0.2


def test_two_bits_that_a_certificate_confirms_are_ok():
    honest = found(victim("fp, 2-bit input"), 1 / 255)
    assert worst(honest.flags) == "ok", honest.evidence
    assert accuracy(honest.certified) > 0.3
    assert not (honest.certified & ~honest.standing).any()
    assert accuracy(honest.standing) > accuracy(honest.clean) - 0.05
