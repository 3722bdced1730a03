"""What was exported, and the images it is attacked with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluators import Evaluator
    from evaluators.deployment.adversaries import Adversaries
    from evaluators.ensemble import Ensemble
    from evaluators.networks.plan import Plan
    from studies import Lock

Tell = Callable[[str], None]
"""Hears what is under way."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was exported.

    Attributes:
        lock: what it is said to be worth.
        evaluator: of the lock.
        ensemble: the very network, in PyTorch.
    """

    lock: Lock
    evaluator: Evaluator
    ensemble: Ensemble

    @property
    def plan(self) -> Plan:
        """Shape of an image, classes, and the width of the network."""
        from evaluators.networks.plan import Plan

        data = self.evaluator.data
        return Plan(shape=data.shape, classes=data.classes, width=self.lock.candidate.width)

    def adversaries(self, tell: Tell) -> Adversaries:
        """Images crafted against the network as the lock's own measurement crafted them."""
        from evaluators.deployment.adversaries import attacked, verified
        from evaluators.robustness.verification.settings import Verification

        if self.lock.part == "test" and self.lock.verification:
            twins = tuple(self.lock.verification["twins"])
            settings = Verification(**{**self.lock.verification, "twins": twins})
            return verified(self.evaluator, self.lock.candidate, settings, tell)
        return attacked(self.evaluator, self.lock.candidate, self.evaluator.budget.images)
