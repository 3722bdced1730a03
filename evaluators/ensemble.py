"""Ensembles: members that see the same image, and the vote that joins them (EMPIR, Sen et al. 2020)."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.networks.build import Network


class Vote(Protocol):
    """Joins member logits (members × N × classes) to one decision, and says what an attacker should climb."""

    def predict(self, logits: Tensor) -> Tensor:
        """The decided class of each image: N integers."""
        ...

    def voters(self, logits: Tensor) -> Tensor:
        """Which members the gradient is averaged over: members × N booleans, at least one an image."""
        ...


class MeanVote:
    """The class with the highest mean probability; the gradient is the average over all members."""

    def predict(self, logits: Tensor) -> Tensor:
        """The decided class of each image: N integers."""
        return logits.softmax(2).mean(0).argmax(1)

    def voters(self, logits: Tensor) -> Tensor:
        """All members."""
        return torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)


class MajorityVote:
    """The class most members vote for; the gradient is the average over the members that voted for it.

    A tie goes to a full-precision member's class if one is among the tied, else to the tied class with the higher
    mean probability.

    Args:
        full_precision: for each member, whether it is of full precision.
    """

    def __init__(self, full_precision: Sequence[bool]) -> None:
        self.full_precision = [index for index, is_float in enumerate(full_precision) if is_float]

    def predict(self, logits: Tensor) -> Tensor:
        """The decided class of each image: N integers."""
        ballots = functional.one_hot(logits.argmax(2), logits.shape[2])
        votes = ballots.sum(0)
        tied = votes == votes.amax(1, keepdim=True)
        favoured = tied & (ballots[self.full_precision].sum(0) > 0)
        tied = torch.where(favoured.any(1, keepdim=True), favoured, tied)
        return logits.softmax(2).mean(0).masked_fill(~tied, -1.0).argmax(1)

    def voters(self, logits: Tensor) -> Tensor:
        """The members whose own class is the decided one."""
        return logits.argmax(2) == self.predict(logits)


class Ensemble(nn.Module):
    """What an attack may ask of any candidate; a single network is an ensemble of one.

    Parameters are frozen and every module is in eval mode: gradients are taken with respect to images alone.
    """

    def __init__(self, members: Sequence[Network], vote: Vote) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.vote = vote
        self.eval().requires_grad_(False)

    def member_logits(self, images: Tensor) -> Tensor:
        """N×C×H×W in [0, 1] in, members × N × classes out, float32."""
        return torch.stack([member(images) for member in self.members])

    def discretise(self, images: Tensor) -> Tensor:
        """The images as the members see them; all members share one discretizer."""
        discretizer: nn.Module = self.members[0].discretizer  # type: ignore[assignment]
        seen: Tensor = discretizer(images)
        return seen

    def predict(self, logits: Tensor) -> Tensor:
        """The vote over member logits: N integers."""
        return self.vote.predict(logits)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy averaged over the members that the vote's gradient rule names: N floats."""
        voters = self.vote.voters(logits.detach()).float()
        each = functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)), reduction="none").view_as(
            voters
        )
        return (each * voters).sum(0) / voters.sum(0)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """The decided class of each image: N integers."""
        return self.predict(self.member_logits(images))


def vote_named(name: str | None, full_precision: Sequence[bool]) -> Vote:
    """The vote of a canonical candidate: "majority", or "mean" (also where a single member has none)."""
    return MajorityVote(full_precision) if name == "majority" else MeanVote()
