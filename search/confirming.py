"""How a candidate is confirmed: trained by a fresh seed, and attacked on test images as an audit attacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evaluators.objectives import OBJECTIVES
from evaluators.verdict import JUDGED
from search.opening import one_evaluation
from space import Candidate
from studies import SeedResult

if TYPE_CHECKING:
    from evaluators import Evaluator, Measurement
    from evaluators.robustness.verification.settings import Verification

Tell = Callable[[str], None]
VERIFIED = {"pgd_naive": "naive", "certified": "certified", JUDGED: "worst"}
"""Objectives that the verification measures together, and what `Verified` calls them."""


@dataclass(frozen=True, kw_only=True)
class Confirming:
    """Measures candidates of one study by one seed after the other.

    Attributes:
        evaluator: of the study's images and protocol, with the full budget.
        settings: how hard the test images are attacked.
        names: of what is measured beyond costs.
        tell: hears, stage by stage, what came out.
    """

    evaluator: Evaluator
    settings: Verification
    names: Sequence[str]
    tell: Tell

    def measure(self, candidate: Candidate, seed: int) -> SeedResult:
        """Train by this seed, on the study's training images, and attack; a training that diverges is a result too."""
        began = time.perf_counter()
        mine = self.evaluator.under(replace(self.evaluator.protocol, seed=seed), self.evaluator.budget)
        found: dict[str, Measurement] = {}
        failure = ""
        with one_evaluation():  # no memory is this machine's fault, and no result
            try:
                found |= on_test(mine, candidate, self.names, self.settings, self.tell)
            except FloatingPointError as error:
                failure = f"the training diverged ({error})"
        return SeedResult(
            seed=seed,
            measurements=found,
            members=mine.identities(candidate),
            failure=failure,
            seconds=round(time.perf_counter() - began, 3),
        )


def on_test(
    evaluator: Evaluator, candidate: Candidate, names: Sequence[str], settings: Verification, tell: Tell
) -> Iterator[tuple[str, Measurement]]:
    """Yield costs, the named accuracies on test images, and with a worst case all that comes with it.

    The clean accuracy is that of all test images. Attacks that stand for themselves have as many steps and starts as
    the verification, on as many images.

    Args:
        evaluator: of the protocol and budget that members are trained by.
        candidate: fits the network.
        names: of objectives.
        settings: how hard the images are attacked.
        tell: hears what came out.
    Raises: UserError when it does not fit, FloatingPointError when a training diverges.
    """
    from evaluators.attacks.catalogue import objective_attack
    from evaluators.robustness.verification.verify import Verifier

    yield from evaluator.cost(candidate).items()
    budget = replace(evaluator.budget, steps=settings.steps, restarts=settings.restarts)
    for name in (name for name in OBJECTIVES if name in names and OBJECTIVES[name].stage != "cost"):
        if name not in VERIFIED:
            spec = objective_attack(name, evaluator.protocol, budget)
            images = settings.images if spec else 0
            [one] = evaluator.judge(candidate, [spec], part="test", images=images)
            yield name, one
    if {*names} & VERIFIED.keys():
        verified = Verifier(evaluator=evaluator, settings=settings, tell=tell).verify(candidate, None)
        seconds = verified.seconds / len(VERIFIED)  # the same searches bring all of them
        yield from ((name, replace(getattr(verified, part), seconds=seconds)) for name, part in VERIFIED.items())
