"""How often each image stands: any attack on a whole split, batch by batch and run by run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from evaluators.attacks.base import Attack
from evaluators.attacks.spec import AttackSpec
from evaluators.attacks.sweep import broken_at
from evaluators.data.batches import evaluation_batches
from evaluators.data.dataset import Split
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream

BATCH = 256
"""Images that are evaluated or attacked at once."""

CLEAN = AttackSpec(name="fgsm", steps=0)
"""No attack at all."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass over a split, which serves one specification or several that differ in their ε alone.

    Attributes:
        attack: what the specifications have in common.
        specs: at least one.
        seed: of the draws: every batch and run has its own, the same for any model, radius and number of restarts.
    """

    attack: Attack
    specs: Sequence[AttackSpec]
    seed: int

    @property
    def runs(self) -> int:
        """Repetitions that can differ."""
        return self.specs[0].runs if self.specs[0].random else 1

    def standing(self, model: Ensemble, split: Split) -> dict[float, Tensor]:
        """In how many runs each image stands, by ε: N integers from 0 to `runs`."""
        counts: dict[float, list[Tensor]] = {spec.epsilon: [] for spec in self.specs}
        for batch, (images, labels) in enumerate(evaluation_batches(split, BATCH)):
            of_batch = {epsilon: torch.zeros_like(labels) for epsilon in counts}
            for run in range(self.runs):
                for epsilon, broken in self._broken(model, images, labels, batch, run).items():
                    of_batch[epsilon] += ~broken
            for epsilon, count in of_batch.items():
                counts[epsilon].append(count)
        return {epsilon: torch.cat(parts) for epsilon, parts in counts.items()}

    def _broken(self, model: Ensemble, images: Tensor, labels: Tensor, batch: int, run: int) -> dict[float, Tensor]:
        first, again = self.specs[0], (f"run {run}",) if run else ()
        draws = stream(self.seed, "attack", first.name, str(batch), *again, device=images.device)
        epsilons = list(dict.fromkeys(spec.epsilon for spec in self.specs))
        return broken_at(self.attack, model, images, labels, epsilons, draws, first.threat)


def shared(spec: AttackSpec | None) -> AttackSpec:
    """What specifications must have in common for one pass to serve them all; none stands for no attack."""
    if spec is None:
        return CLEAN
    return replace(spec, epsilon=0.0) if spec.sweeps else spec
