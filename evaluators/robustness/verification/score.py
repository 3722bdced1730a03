"""One row of logits per image that decides as an ensemble does: all that attacks of other libraries can take."""

import math

import torch
from torch import Tensor, nn

from evaluators.ensemble import Ensemble
from evaluators.votes import MajorityVote


class Score(nn.Module):
    """An ensemble as a network of N×classes logits whose largest is the class that the ensemble decides on.

    A single network gives its logits, a mean vote log(mean probability), whose gradient is that of the vote; of classes
    that are equal there, the decided one is raised. A majority vote has no gradient: it gives the members' mean logit,
    in which the decided class is raised to the top. So an attacker climbs the mean logit, yet neither takes an image
    for fallen that only the mean gets wrong, nor spares one for it.

    Attributes:
        forwards, backwards: images passed so far, with and without regard to their gradient.
    """

    def __init__(self, model: Ensemble) -> None:
        super().__init__()
        self.model = model
        self.forwards = self.backwards = 0

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W in [0, 1] in, N×classes out."""
        self.forwards += len(images)
        self.backwards += len(images) * images.requires_grad
        logits = self.model.member_logits(images)
        if len(logits) == 1:
            return logits[0].clone()  # attacks of other libraries write into what they are given
        decided = self.model.predict(logits.detach())
        if isinstance(self.model.vote, MajorityVote):
            return led_by(decided, logits.mean(0))
        likely = logits.log_softmax(2).logsumexp(0) - math.log(len(logits))
        return torch.where((likely.argmax(1) == decided)[:, None], likely, led_by(decided, likely))


def led_by(decided: Tensor, score: Tensor) -> Tensor:
    """Raise the score of the decided class above every other, the less the further it was behind.

    Its lead m over the best other class becomes 1 + m where m > 0, else 1 / (1 - m): positive and rising throughout,
    so that an attacker who pushes m down makes headway also while the vote stands against the score. Scores count from
    that other class, which has 0: a small lead on top of a large score would be lost to rounding.

    >>> led_by(torch.tensor([0, 1]), torch.tensor([[3.0, 1.0], [3.0, 1.0]]))
    tensor([[3.0000, 0.0000],
            [0.0000, 0.3333]])
    """
    own = nn.functional.one_hot(decided, score.shape[1]).bool()
    best_other = score.masked_fill(own, -torch.inf).amax(1)
    lead = score[own] - best_other
    raised = torch.where(lead > 0, 1 + lead, 1 / (1 - lead.clamp_max(0)))
    return torch.where(own, raised[:, None], score - best_other[:, None])
