"""Images kept from an attack: within the ball, and each does what the attack said it does."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evaluators.base import Budget, Protocol
from evaluators.cache import Store
from evaluators.data import DataSet
from evaluators.data.batches import to_float
from evaluators.data.dataset import Split
from evaluators.deployment.adversaries import Adversaries, attacked, verified
from evaluators.evaluator import Evaluator
from evaluators.members import MemberPool
from evaluators.robustness.verification.settings import Verification
from space import Candidate

BUDGET = Budget(epochs=2, train_images=600, images=60, steps=4)
SETTINGS = Verification(images=50, steps=3, restarts=1, queries=20, binarized=0, twins=("standard",))
CANDIDATES = ("xnor:x0.25", "fp+pact2:majority:x0.25")


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory, mnist5k: DataSet) -> Evaluator:
    protocol = Protocol(dataset="mnist5k", checksum=mnist5k.checksum, network="fcn2", epsilon=0.02, source="fp:x0.25")
    data = replace(mnist5k, test=mnist5k.test.head(50))
    return Evaluator(protocol, BUDGET, MemberPool(Store(Path(tmp_path_factory.mktemp("members"))), data))


def check(found: Adversaries, evaluator: Evaluator, candidate: Candidate, split: Split) -> None:
    """The share that stands is that of the images themselves, and none has left the ball."""
    clean = to_float(split.images)
    assert found.images.shape == clean.shape
    assert torch.equal(found.labels, split.labels)
    assert (found.images - clean).abs().max() <= 0.02 + 1e-6
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    decided = evaluator.ensemble(candidate)(found.images)
    assert int((decided == split.labels).sum()) == round(found.worst.value * len(split))
    assert 0 < found.worst.value < 1  # else neither side was seen


@pytest.mark.parametrize("text", CANDIDATES)
def test_the_worst_case_of_a_search_keeps_what_it_made(text, evaluator):
    candidate = Candidate.parse(text)
    found = attacked(evaluator, candidate, 60)
    check(found, evaluator, candidate, evaluator.data.validation.head(60))
    assert found.worst.value == dict(evaluator.measure(candidate, ["pgd"]))["pgd"].value


@pytest.mark.parametrize("text", CANDIDATES)
def test_a_verification_keeps_what_both_libraries_made(text, evaluator):
    candidate, told = Candidate.parse(text), []
    found = verified(evaluator, candidate, SETTINGS, told.append)
    check(found, evaluator, candidate, evaluator.data.test)
    assert any(one.startswith("square") for one in told)
