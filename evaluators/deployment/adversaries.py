"""Images crafted against a candidate, to be judged on the files it was written to."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from evaluators.base import Measurement
from evaluators.data.dataset import Split
from evaluators.evaluator import Evaluator
from evaluators.robustness.effort import Effort
from evaluators.robustness.verification.settings import Verification
from evaluators.robustness.verification.verify import Verifier
from evaluators.robustness.worst_case import WorstCase
from space import Candidate


@dataclass(frozen=True, kw_only=True, eq=False)
class Adversaries:
    """What attacks made of images, and what is left of the candidate they were crafted on.

    Attributes:
        images: N×C×H×W in [0, 1], within the ball around the images of the split, float32, on the processor.
        labels: N integers.
        worst: the share of images that stand under every attack.
    """

    images: Tensor
    labels: Tensor
    worst: Measurement


def attacked(evaluator: Evaluator, candidate: Candidate, images: int) -> Adversaries:
    """The worst case of the search, under the evaluator's protocol and budget.

    Args:
        evaluator: attacks as its `measure` does, so that the numbers are the same.
        candidate: is trained where it lacks.
        images: of the validation part, 0 for all.
    """
    protocol, budget = evaluator.protocol, evaluator.budget
    attack = WorstCase(
        epsilon=protocol.epsilon,
        threat=protocol.threat,
        effort=Effort(steps=budget.steps, restarts=budget.restarts),
        seed=protocol.seed,
        twins=(evaluator.ensemble(Candidate.parse(protocol.source)),),
    )
    split = evaluator.data.validation.head(images)
    found = attack(evaluator.ensemble(candidate), split)
    worst = Measurement.fraction(int(found.standing.sum()), len(split))
    return _adversaries(found.images, split, worst)


def verified(
    evaluator: Evaluator, candidate: Candidate, settings: Verification, tell: Callable[[str], None]
) -> Adversaries:
    """Every attack of a verification, on test images; its other tests are left out."""
    verifier = Verifier(evaluator=evaluator, settings=settings, tell=tell)
    found, external = verifier.attack(candidate)
    stands = int(found.standing.sum()) - sum((external or {}).values())
    return _adversaries(found.images, verifier.split, Measurement.fraction(stands, len(verifier.split)))


def _adversaries(images: Tensor, split: Split, worst: Measurement) -> Adversaries:
    return Adversaries(images=images.cpu(), labels=split.labels.cpu(), worst=worst)
