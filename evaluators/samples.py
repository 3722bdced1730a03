"""Adversarial images to look at."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.attacks.base import ThreatModel
from evaluators.attacks.catalogue import build
from evaluators.attacks.judging import BATCH
from evaluators.attacks.spec import AttackSpec
from evaluators.base import check_range
from evaluators.data.batches import to_float
from evaluators.evaluator import Evaluator
from evaluators.seeds import stream
from space import Candidate

TRIED = 4
"""Images that are attacked for each one that is shown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """One image that a candidate got right, and what an attack made of it.

    Attributes:
        label: its class.
        predicted: the class that the perturbed image is given; the label where the candidate withstood.
        clean: C×H×W, float32 in [0, 1], as the attacker found it.
        perturbed: the same shape, within ε of `clean`.
    """

    label: int
    predicted: int
    clean: Tensor
    perturbed: Tensor


def adversarial_samples(evaluator: Evaluator, candidate: Candidate, count: int) -> Iterator[Sample]:
    """Yield validation images that a candidate gets right, attacked by PGD as its protocol and budget say.

    Of the first TRIED times as many that it gets right, those that fall come first, each in their order.

    Args:
        evaluator: of the protocol; where a member is not kept, it trains it.
        candidate: that fits the network.
        count: images, 1 to BATCH / TRIED; fewer where the candidate gets fewer right.
    Raises: UserError when the candidate does not fit, FloatingPointError when training diverges.
    """
    check_range("sample images", count, 1, BATCH // TRIED)
    model, budget, protocol = evaluator.ensemble(candidate), evaluator.budget, evaluator.protocol
    split = evaluator.data.validation.head(BATCH)
    images = to_float(split.images)
    with torch.no_grad():
        right = (model(images) == split.labels).nonzero().squeeze(1)[: TRIED * count]
    if not len(right):
        return
    labels = split.labels[right]
    attack = build(AttackSpec(name="pgd", steps=budget.steps, restarts=budget.restarts))
    threat = ThreatModel(epsilon=protocol.epsilon, where=protocol.threat)
    draws = stream(protocol.seed, "attack", "pgd", "0", device=images.device)
    outcome = attack(model, images[right], labels, threat, draws)
    with torch.no_grad():
        predicted = model(outcome.images)
    fallen_first = (predicted == labels).int().argsort(stable=True)[:count]
    for one in fallen_first.tolist():
        yield Sample(
            label=int(labels[one]),
            predicted=int(predicted[one]),
            clean=outcome.origin[one].cpu(),
            perturbed=outcome.images[one].cpu(),
        )
