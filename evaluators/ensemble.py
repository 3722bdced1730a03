"""Ensembles: members that see the same image, joined by a vote."""

from collections.abc import Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.fitting import fitting
from evaluators.votes import Vote


class Ensemble(nn.Module):
    """What an attack may ask of any candidate; a single network is an ensemble of one.

    Parameters are frozen and every module is in eval mode: gradients are taken with respect to images alone.

    Args:
        members: take images (N×C×H×W in [0, 1]) to logits (N × classes); where their pixels are discretized, the
            first has the `discretizer` that they share.
        vote: how they come to one decision.
    """

    def __init__(self, members: Sequence[nn.Module], vote: Vote) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.vote = vote
        self.eval().requires_grad_(False)

    def member_logits(self, images: Tensor) -> Tensor:
        """N×C×H×W in [0, 1] in, members × N × classes out, float32; in smaller parts where memory runs out."""
        return torch.stack([fitting(member, images) for member in self.members])

    def discretise(self, images: Tensor) -> Tensor:
        """The images as the members see them; all members share one discretizer."""
        discretizer = getattr(self.members[0], "discretizer", None)
        return images if discretizer is None else discretizer(images)

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
