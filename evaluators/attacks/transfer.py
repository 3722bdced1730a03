"""Attacks without the model's gradients: images that were crafted on another one (Papernot et al. 2016)."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import torch
from torch import Tensor

from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.ensemble import Ensemble

REMEMBERED = 2**28
"""Bytes of crafted images beyond which they are forgotten: a search attacks few, a whole test set is seen once."""


class Crafter(Protocol):
    """An attack that can leave its images for another model to judge."""

    def craft(
        self, source: Ensemble, origin: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator
    ) -> Tensor:
        """Images around `origin` (N×C×H×W in [0, 1]) that mean harm to the source."""
        ...


@dataclass(frozen=True, kw_only=True)
class Transfer(Attack):
    """Crafts on a source, and tries the result once on the attacked model.

    The attacked model decides nothing on the way: every image is crafted to the end, since one that the source has
    long lost may still stand on the attacked model, and goes on gaining loss that carries over. What is tried is the
    last iterate, as in the literature; earlier ones would be further queries, which this attacker does not have.

    Attributes:
        attack: how the images are crafted.
        source: what they are crafted on; may hold members of the attacked model.
        crafted: what was crafted so far: it does not depend on the attacked model, so that the next one has it free.
    """

    attack: Crafter
    source: Ensemble
    crafted: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)

    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place.

        Only passes of the attacked model are counted. An image that stands keeps what raised its loss, or is left as
        it was.
        """
        standing = outcome.standing
        if len(standing):
            crafted = self._craft(outcome.origin, labels, threat.epsilon, generator)
            self._try(model, crafted[standing], labels[standing], outcome)

    def _craft(self, origin: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
        """The images for these origins and draws; all of them, since another model stands on others."""
        key = _digest(origin, labels, generator.get_state(), torch.tensor(epsilon, dtype=torch.float64))
        if key not in self.crafted:
            if sum(kept.nbytes for kept in self.crafted.values()) > REMEMBERED:
                self.crafted.clear()
            self.crafted[key] = self.attack.craft(self.source, origin, labels, epsilon, generator)
        return self.crafted[key]

    @torch.no_grad()
    def _try(self, model: Ensemble, crafted: Tensor, labels: Tensor, outcome: Attacked) -> None:
        logits = model.member_logits(crafted)
        fallen = model.predict(logits) != labels
        outcome.record(crafted, outcome.standing, fallen, model.loss(logits, labels))


def _digest(*tensors: Tensor) -> str:
    digest = sha256()
    for tensor in tensors:
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
