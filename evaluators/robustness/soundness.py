"""Whether a model is a function at all: without that, no attack on it means anything."""

import torch
from torch import Tensor, nn

from evaluators.ensemble import Ensemble
from evaluators.verdict import flag

LOOKED_AT = 64
"""Images that it takes."""
REPEATED, REGROUPED = 1e-4, 1e-2
"""Largest difference of logits, relative to their size, when the same batch is passed twice, and when its halves are
passed one by one: there, sums in another order may turn single binary activations."""


def stop_training(model: nn.Module) -> tuple[str, ...]:
    """Put every module into eval mode; a flag if one was not."""
    was_training = any(module.training for module in model.modules())
    model.eval()
    return (flag("invalid", "training-mode"),) if was_training else ()


@torch.no_grad()
def unsound(model: Ensemble, images: Tensor) -> tuple[str, ...]:
    """What is wrong with the outputs for some images (N×C×H×W in [0, 1]), as flags; nothing for most models."""
    images = images[:LOOKED_AT]
    first = model.member_logits(images)
    if not first.isfinite().all():
        return (flag("invalid", "not-a-number"),)
    half = len(images) // 2
    parts = [model.member_logits(part) for part in (images[:half], images[half:]) if len(part)]
    found = {
        "nondeterministic": bool((_difference(first, model.member_logits(images)) > REPEATED).any()),
        "batch-dependent": bool((_difference(first, torch.cat(parts, 1)) > REGROUPED).float().mean() > 0.5),
        "probabilities": are_probabilities(first),
        "counts": are_counts(first),
    }
    return tuple(flag("invalid", rule) for rule, wrong in found.items() if wrong)


def are_probabilities(logits: Tensor) -> bool:
    """Whether outputs look as if a softmax had been taken: non-negative, with a sum of one."""
    return bool((logits >= 0).all() and ((logits.sum(2) - 1).abs() < 1e-4).all())


def are_counts(logits: Tensor) -> bool:
    """Whether outputs look like ballots: whole numbers, none negative."""
    return bool((logits >= 0).all() and (logits == logits.round()).all())


def _difference(one: Tensor, other: Tensor) -> Tensor:
    """By member and image, relative to the size of the logits."""
    size = one.square().sum(2).sqrt().clamp_min(torch.finfo(one.dtype).tiny)
    return (one - other).square().sum(2).sqrt() / size
