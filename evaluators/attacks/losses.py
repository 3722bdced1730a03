"""What an attack climbs: functions of member logits, each image's own, of any scale of logits."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from evaluators.ensemble import Ensemble

Loss = Callable[[Ensemble, Tensor, Tensor], Tensor]
"""(model, member logits of members × N × classes, N labels) to N losses; what raises one means harm."""

UNSURE = 0.01
"""Least probability that is left to the classes behind, after rescaling (ρ of Gupta and Ajanthan 2020)."""


def plain(model: Ensemble, logits: Tensor, labels: Tensor) -> Tensor:
    """The vote's own cross-entropy; exactly flat in float32 where a logit leads by 17 or more."""
    return model.loss(logits, labels)


def rescaled(model: Ensemble, logits: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of logits scaled, image by image and member by member, to a range that leaves a gradient.

    The factor ln((classes - 1)(1 - ρ) / ρ) / (max - min) lets a first class have the probability 1 - ρ at most
    (Gupta and Ajanthan 2020, Hessian norm scaling); it is a constant to the gradient.
    """
    wanted = math.log((logits.shape[2] - 1) * (1 - UNSURE) / UNSURE)
    spread = logits.detach().amax(2, keepdim=True) - logits.detach().amin(2, keepdim=True)
    return model.loss(logits * (wanted / spread.clamp_min(torch.finfo(logits.dtype).eps)), labels)


def break_margin(model: Ensemble, logits: Tensor, labels: Tensor) -> Tensor:
    """The vote's margin: above 0 exactly where the decision has fallen."""
    return model.vote.margin(logits, labels)


def standardised(model: Ensemble, logits: Tensor, labels: Tensor) -> Tensor:
    """The margin of the members' mean logits, each member's at unit variance: none drowns the others' gradient."""
    spread = logits.detach().std(2, keepdim=True).clamp_min(torch.finfo(logits.dtype).tiny)
    mean = ((logits - logits.mean(2, keepdim=True)) / spread).mean(0)
    own = mean.gather(1, labels[:, None]).squeeze(1)
    return mean.scatter(1, labels[:, None], -torch.inf).amax(1) - own


def log_probabilities(model: Ensemble, logits: Tensor, labels: Tensor) -> Tensor:
    """The margin of outputs that are probabilities already: their logs, averaged over the members."""
    logs = logits.clamp_min(torch.finfo(logits.dtype).tiny).log()
    return model.vote.margin(logs, labels)
