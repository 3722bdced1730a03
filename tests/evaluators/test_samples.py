"""Adversarial images to look at are what they say they are."""

import pytest
import torch

from evaluators.base import Budget
from evaluators.opening import open_evaluator
from evaluators.samples import adversarial_samples
from space import Candidate, UserError

SPEC, EPSILON = Candidate.parse("in4:xnor:x0.25"), 0.15


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory):
    budget = Budget(epochs=1, train_images=600, images=32, steps=5)
    cache = tmp_path_factory.mktemp("cache")
    return open_evaluator(dataset="mnist5k", epsilon=EPSILON, budget=budget, device="cpu", cache=cache)


def test_images_were_right_stay_in_the_ball_and_are_named_as_the_network_names_them(evaluator):
    samples, model = list(adversarial_samples(evaluator, SPEC, 4)), evaluator.ensemble(SPEC)
    assert len(samples) == 4
    for one in samples:
        assert one.clean.shape == one.perturbed.shape == (1, 28, 28)
        assert 0 <= one.perturbed.min() <= one.perturbed.max() <= 1
        assert (one.perturbed - one.clean).abs().max() <= EPSILON + 1e-6
        named = model(torch.stack([one.clean, one.perturbed])).tolist()
        assert named == [one.label, one.predicted]


def test_what_falls_comes_first(evaluator):
    withstood = [one.predicted == one.label for one in adversarial_samples(evaluator, SPEC, 8)]
    assert withstood == sorted(withstood)
    assert not withstood[0]


def test_the_same_images_come_again(evaluator):
    first, second = (list(adversarial_samples(evaluator, SPEC, 2)) for _ in range(2))
    assert all(one.perturbed.equal(other.perturbed) for one, other in zip(first, second, strict=True))


def test_more_than_a_batch_is_refused(evaluator):
    with pytest.raises(UserError, match="sample images"):
        next(adversarial_samples(evaluator, SPEC, 10_000))
