"""Attacks without the model's gradients: images that were crafted on another one (Papernot et al. 2016)."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.ensemble import Ensemble


class Crafter(Protocol):
    """An attack that can leave its images for another model to judge."""

    def craft(
        self, source: Ensemble, origin: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator
    ) -> Tensor:
        """Images around `origin` (N×C×H×W in [0, 1]) that mean harm to the source."""
        ...


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Crafts on a source, and tries the result once on the attacked model.

    The attacked model decides nothing on the way: every image is crafted to the end, since one that the source has
    long lost may still stand on the attacked model, and goes on gaining loss that carries over. What is tried is the
    last iterate, as in the literature; earlier ones would be further queries, which this attacker does not have.

    Attributes:
        attack: how the images are crafted.
        source: what they are crafted on; may hold members of the attacked model.
    """

    attack: Crafter
    source: Ensemble

    def __call__(
        self, model: Ensemble, images: Tensor, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> Attacked:
        """Attack float32 images (N×C×H×W in [0, 1]); only passes of the attacked model are counted.

        What the model gets wrong has already fallen and stays as it is. An image that stands keeps what raised its
        loss, or is left as it was.
        """
        outcome = Attacked.untouched(model, threat.origin(model, images), labels)
        crafted = self.attack.craft(self.source, outcome.origin, labels, threat.epsilon, generator)
        standing = outcome.standing
        if len(standing):
            self._try(model, crafted[standing], labels[standing], outcome)
        return outcome

    @torch.no_grad()
    def _try(self, model: Ensemble, crafted: Tensor, labels: Tensor, outcome: Attacked) -> None:
        logits = model.member_logits(crafted)
        fallen = model.predict(logits) != labels
        outcome.record(crafted, outcome.standing, fallen, model.loss(logits, labels))
