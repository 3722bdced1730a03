"""Votes: how members that see the same image come to one decision (EMPIR, Sen et al. 2020), and when it breaks."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor


class Vote(Protocol):
    """Joins member logits (members × N × classes) to one decision, and says what an attacker should climb."""

    def predict(self, logits: Tensor) -> Tensor:
        """The decided class of each image: N integers."""
        ...

    def decide(self, probabilities: Tensor, classes: Tensor, leads: Tensor) -> Tensor:
        """The same, from what `opinions` makes of the logits."""
        ...

    def voters(self, logits: Tensor) -> Tensor:
        """Which members the gradient is averaged over: members × N booleans, at least one an image."""
        ...

    def margin(self, logits: Tensor, labels: Tensor) -> Tensor:
        """How far each decision is beyond breaking: N floats, above 0 where it is not the label."""
        ...


class MeanVote:
    """The class with the highest mean probability; the gradient is the average over all members."""

    def predict(self, logits: Tensor) -> Tensor:
        """The decided class of each image: N integers."""
        return self.decide(*opinions(logits))

    def decide(self, probabilities: Tensor, classes: Tensor, leads: Tensor) -> Tensor:
        """The same, from what `opinions` makes of the logits."""
        return _likeliest(probabilities.mean(0), classes, leads)

    def voters(self, logits: Tensor) -> Tensor:
        """All members."""
        return torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)

    def margin(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Log of the highest other mean probability less that of the label: does not saturate as probabilities do."""
        return -_lead(_log_mean(logits)).gather(1, labels[:, None]).squeeze(1)


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
        return self.decide(*opinions(logits))

    def decide(self, probabilities: Tensor, classes: Tensor, leads: Tensor) -> Tensor:
        """The same, from what `opinions` makes of the logits."""
        ballots = functional.one_hot(classes, probabilities.shape[2])
        votes = ballots.sum(0)
        tied = votes == votes.amax(1, keepdim=True)
        favoured = tied & (ballots[self.full_precision].sum(0) > 0)
        tied = torch.where(favoured.any(1, keepdim=True), favoured, tied)
        return _likeliest(probabilities.mean(0).masked_fill(~tied, -1.0), classes, leads)

    def voters(self, logits: Tensor) -> Tensor:
        """The members whose own class is the decided one."""
        return logits.argmax(2) == self.predict(logits)

    def margin(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The exact condition under which the vote breaks, as a number to climb.

        Some other class t must have at least s votes while the label has fewer than s, or as many and loses the tie,
        for any s. "At least s members vote for t" is the s-th largest of their leads of t, and so on; "and" is a
        minimum, "or" a maximum.
        """
        own = labels.view(1, -1, 1).expand(len(logits), -1, 1)
        leads = _lead(logits)
        against = -leads.gather(2, own)  # above 0 where the member has left the label
        for_other, left = leads.sort(0, descending=True).values, against.sort(0, descending=True).values
        tie = self._lost_tie(logits, leads, against, own)
        members, breaks = len(logits), []
        for votes in range(1, members + 1):
            breaks.append(for_other[votes - 1].minimum(left[members - votes]))
            if votes < members:
                breaks.append(for_other[votes - 1].minimum(left[members - votes - 1]).minimum(tie))
        return torch.stack(breaks).amax(0).scatter(1, own[0], -torch.inf).amax(1)

    def _lost_tie(self, logits: Tensor, leads: Tensor, against: Tensor, own: Tensor) -> Tensor:
        """Above 0 where the label would lose a tie with a class: N × classes."""
        mean = _log_mean(logits)
        likelier = mean - mean.gather(1, own[0])
        if not self.full_precision:
            return likelier
        named, unnamed = leads[self.full_precision].amax(0), against[self.full_precision].amin(0)
        return named.minimum(unnamed).maximum(likelier.minimum(named.maximum(unnamed)))


def opinions(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What members think, from … × classes: their softmax, their own classes, and how far those lead the next."""
    first, second = logits.topk(2, -1).values.unbind(-1)
    return logits.softmax(-1), logits.argmax(-1), first - second


def _likeliest(mean: Tensor, classes: Tensor, leads: Tensor) -> Tensor:
    """The class with the highest mean probability (N × classes): N integers.

    Of equal ones, that of the member that is surest. In float32 a class that leads by 17, as many do after μ-law
    mapping, has exactly 1 of its member: two such members would be told apart by the numbers of their classes.
    """
    sure = mean.new_zeros(len(classes), *mean.shape).scatter(2, classes.unsqueeze(2), leads.unsqueeze(2)).amax(0)
    return sure.masked_fill(mean < mean.amax(1, keepdim=True), -1.0).argmax(1)


def _log_mean(logits: Tensor) -> Tensor:
    """Log of the members' mean probability, up to a constant: N × classes."""
    return logits.log_softmax(2).logsumexp(0)


def _lead(scores: Tensor) -> Tensor:
    """How far each class is above the highest other, along the last axis; above 0 for the first alone."""
    best, second = scores.topk(2, -1).values.unbind(-1)
    is_best = torch.arange(scores.shape[-1], device=scores.device) == scores.argmax(-1, keepdim=True)
    return scores - torch.where(is_best, second.unsqueeze(-1), best.unsqueeze(-1))


def vote_named(name: str | None, full_precision: Sequence[bool]) -> Vote:
    """The vote of a canonical candidate: "majority", or "mean" (also where a single member has none)."""
    return MajorityVote(full_precision) if name == "majority" else MeanVote()
