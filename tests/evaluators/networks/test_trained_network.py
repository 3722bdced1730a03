"""A network that was really trained to the accuracy of digits: what gradients do to it."""

from dataclasses import replace

import pytest

from evaluators import Budget, Evaluator, Measurement, open_evaluator
from space import Candidate

FP = Candidate.parse("fp:x0.5")


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    budget = Budget(epochs=4, images=200, steps=20)
    return open_evaluator(
        dataset="mnist5k",
        network="mnistconv",
        epsilon=0.3,
        budget=budget,
        device="cpu",
        cache=tmp_path_factory.mktemp("members"),
    )


def measured(evaluator: Evaluator, *names: str, **budget: int) -> dict[str, Measurement]:
    again = Evaluator(evaluator.protocol, replace(evaluator.budget, **budget), evaluator.pool)
    return dict(again.measure(FP, names))


def test_it_knows_digits(evaluator):
    assert measured(evaluator, "acc")["acc"].value >= 0.95


def test_pgd_at_a_large_radius_breaks_it(evaluator):
    found = measured(evaluator, "pgd")["pgd"]
    assert found.value < 0.10
    assert found.n == 200


def test_one_step_breaks_less_than_many(evaluator):
    nearer = Evaluator(replace(evaluator.protocol, epsilon=0.06), evaluator.budget, evaluator.pool)
    found = dict(nearer.measure(FP, ("fgsm", "bim", "pgd")))
    assert found["bim"].value < found["fgsm"].value < 0.95
    assert found["pgd"].value < found["fgsm"].value
    assert found["bim"].value > measured(evaluator, "bim")["bim"].value


def test_no_steps_change_nothing(evaluator):
    found = measured(evaluator, "acc", "fgsm", "bim", "pgd", steps=0, images=10**6)
    assert found.pop("certified").value == 0.0, "8-bit input: nothing is"
    assert len({one.value for one in found.values()}) == 1


def test_all_of_this_took_two_trainings(evaluator):
    """The network, and the source of transferred attacks."""
    measured(evaluator, "acc")
    assert evaluator.pool.trained == 2
