"""Ensembles, and PGD against them: all images, all steps, all restarts."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn


@dataclass
class Ensemble:
    """Networks that vote: by mean probability, or by majority with full-precision members breaking ties."""

    networks: Sequence[nn.Module]
    majority: bool = False
    full_precision: Sequence[bool] = ()

    def logits(self, images: Tensor) -> Tensor:
        """Members × N × classes."""
        return torch.stack([network(images) for network in self.networks])

    def decide(self, logits: Tensor) -> Tensor:
        """The class of each image; ties of a majority go to a full-precision member's, then to the likelier class."""
        mean = logits.softmax(2).mean(0)
        if not self.majority:
            return mean.argmax(1)
        ballots = functional.one_hot(logits.argmax(2), logits.shape[2])
        trusted = ballots[[i for i, full in enumerate(self.full_precision) if full]].sum(0) > 0
        return (4 * ballots.sum(0) + 2 * trusted + mean).argmax(1)

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """The class of each image."""
        return self.decide(self.logits(images))

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Sum over images of the members' mean cross-entropy; of a majority, of those that voted for the decision."""
        logits = self.logits(images)
        votes = logits.argmax(2) == self.decide(logits) if self.majority else torch.ones(logits.shape[:2])
        each = torch.stack([functional.cross_entropy(one, labels, reduction="none") for one in logits])
        return ((each * votes).sum(0) / votes.sum(0)).sum()


def pgd(
    model: Ensemble, images: Tensor, labels: Tensor, *, epsilon: float, steps: int = 20, restarts: int = 5
) -> Tensor:
    """Which images stand after every restart of PGD (Madry et al. 2018) with a step of ε/4."""
    standing = model.predict(images) == labels
    for _ in range(restarts):
        standing &= model.predict(attacked(model, images, labels, epsilon, steps)) == labels
    return standing


def attacked(model: Ensemble, images: Tensor, labels: Tensor, epsilon: float, steps: int) -> Tensor:
    """The last iterate from one random start."""
    moved = (images + torch.empty_like(images).uniform_(-epsilon, epsilon)).clamp(0, 1)
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model.loss(moved, labels), moved)
        moved = moved.detach() + epsilon / 4 * gradient.sign()
        moved = torch.clamp(images + torch.clamp(moved - images, -epsilon, epsilon), 0, 1)
    return moved.detach()
