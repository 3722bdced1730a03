"""What no attack can break: images around which a network with discretized input was tried everywhere."""

from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.attacks.base import Attacked
from evaluators.ensemble import Ensemble
from evaluators.robustness.lattice import Lattice

BATCH = 256
"""Points that are passed forward at once."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Goes through all that the attacker can show a network with discretized input, where that is little.

    A ball in which no pixel changes its bin holds one image as far as the network is concerned: what it gets right is
    robust, and nothing is computed. Around other images it tries every point of the lattice, and knows the truth.
    Smallest lattices come first, so that most images are decided for the same passes. It takes for granted that the
    network is a function: of one image, the same class at any time and in any batch.

    Attributes:
        points: largest lattice that is gone through; 1 for none. 2**16 decides what 16 pixels of two bins leave open.
        budget: points tried on average, over all images of the outcome: passes of the whole set, at most. Images
            whose lattices do not fit are left open.
    """

    points: int = 2**12
    budget: float = 32.0

    @torch.no_grad()
    def certify(self, outcome: Attacked, model: Ensemble, labels: Tensor, epsilon: float) -> Tensor:
        """Decide images of an outcome that still stand, and record what breaks them, and the passes.

        Returns: N booleans, true where no image of the ball of radius `epsilon` around the outcome's origin is
            misclassified. With 8-bit input that is certain only of a ball without any other image.
        """
        lattice = Lattice.around(model, outcome.origin, epsilon)
        certain = certified(outcome, lattice)
        tried = self._affordable(lattice.sizes, outcome.standing)
        enumerate_lattice(outcome, model, labels, lattice, tried)
        certain[tried] = ~outcome.broken[tried]
        return certain

    def _affordable(self, sizes: Tensor, standing: Tensor) -> Tensor:
        """Indices of the images whose lattices are gone through, smallest first."""
        open_still = standing[(sizes[standing] > 1) & (sizes[standing] <= self.points)]
        ordered = open_still[sizes[open_still].argsort(stable=True)]
        return ordered[sizes[ordered].cumsum(0) <= self.budget * len(sizes)]


def certified(outcome: Attacked, lattice: Lattice) -> Tensor:
    """Which images stand and look the same to the network wherever the attacker moves them: N booleans."""
    return ~outcome.broken & (lattice.sizes == 1)


@torch.no_grad()
def enumerate_lattice(outcome: Attacked, model: Ensemble, labels: Tensor, lattice: Lattice, which: Tensor) -> None:
    """Try every point of the lattices of the images `which`, each to its first break; record those and the passes.

    Args:
        outcome: attacked in place; what of `which` stands afterwards is robust.
        labels: N integers.
        lattice: of the outcome's origin.
        which: indices of images that stand, with lattices of less than 2**53 points.
    """
    sizes = lattice.sizes[which].long()
    ends, total = sizes.cumsum(0), int(sizes.sum())
    begins = ends - sizes
    for start in range(0, total, BATCH):
        places = torch.arange(start, min(start + BATCH, total), device=which.device)
        owners = torch.searchsorted(ends, places, right=True)
        left = ~outcome.broken[which[owners]]
        if left.any():
            _try(outcome, model, labels, lattice, which[owners[left]], (places - begins[owners])[left])


def _try(outcome: Attacked, model: Ensemble, labels: Tensor, lattice: Lattice, owners: Tensor, numbers: Tensor) -> None:
    """Pass some points forward, those of one image next to each other; record the first break of each image."""
    images = lattice.points(owners, numbers)
    logits = model.member_logits(images)
    broken = (model.predict(logits) != labels[owners]).nonzero().squeeze(1)
    first = broken[owners[broken].diff(prepend=owners.new_tensor([-1])) != 0]
    loss = model.loss(logits, labels[owners])[first]
    outcome.record(images[first], owners[first], torch.ones_like(first, dtype=torch.bool), loss)
    outcome.forwards += len(owners) - len(first)
