"""What is fast gives what is slow would: the same study with every short cut taken away.

The slow path computes quantizers operation by operation, convolutions by the library alone, weights at every step, and
accuracies by the networks themselves; it attacks from one start after the other. Sums in another order round otherwise,
and a rounding may move a value over a quantizer's step. Hence the tolerances: none on costs, IMAGES of those judged on
accuracies, and WEIGHTS on what a training of a few steps leaves.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch.nn.functional as functional

from evaluators import Budget, open_evaluator
from evaluators.attacks import starts
from evaluators.base import Measurement
from evaluators.evaluator import Evaluator
from evaluators.quantizers import kernels, layers
from space import Candidate, load_space
from studies import Stop, Study, StudyConfig
from studies.records import Record

OBJECTIVES = ("acc", "pgd_naive", "bops")
BUDGET = Budget(epochs=1, train_images=400, images=32, steps=5, restarts=3)
TRIALS = 8
IMAGES = 2
WEIGHTS = 1e-2
PRECISIONS = ("fp", "pact2", "dorefa2-4", "xnor", "mbn2x3")


@dataclass(frozen=True)
class Shortcuts:
    """Takes them all away."""

    monkeypatch: pytest.MonkeyPatch

    def remove(self) -> None:
        def accuracy(evaluator: Evaluator, candidate: Candidate, *_: object, **__: object) -> Measurement:
            return next(evaluator.judge(candidate, [None]))

        replace = self.monkeypatch.setattr
        replace(kernels, "suit", lambda x: False)
        replace(layers, "convolve", functional.conv2d)
        replace(layers.QuantLayer, "effective_weight", lambda layer: layer.weight.mapped(layer.mu))
        replace(starts, "AT_ONCE", 1)
        replace(Evaluator, "_clean", accuracy)


@pytest.fixture
def shortcuts(monkeypatch: pytest.MonkeyPatch) -> Shortcuts:
    return Shortcuts(monkeypatch)


pytestmark = pytest.mark.usefixtures("one_thread")


def opened(cache: Path) -> Evaluator:
    return open_evaluator(dataset="mnist5k", budget=BUDGET, cache=cache, device="cpu")


def records(folder: Path, cache: Path) -> tuple[list[Record], list[Record]]:
    """All records and the front of a study whose candidates do not depend on what was measured."""
    evaluator = opened(cache)
    config = StudyConfig(
        objectives=OBJECTIVES,
        space=load_space("tiny"),
        protocol=evaluator.protocol,
        budget=BUDGET,
        sampler="random",
        proposals="off",
        full=True,
    )
    study = Study.open(folder, config)
    study.run(evaluator, Stop(trials=TRIALS))
    return study.records(), study.front()


def slack(name: str, record: Record) -> float:
    count = record.measurements[name].n
    return IMAGES / count if count else 0.0


def beats(one: Record, other: Record) -> bool:
    """Whether one is better than another in everything, by more than the tolerance in each accuracy."""
    accuracies = all(
        one.measurements[name].value > other.measurements[name].value + 2 * slack(name, one)
        for name in ("acc", "pgd_naive")
    )
    return accuracies and one.measurements["bops"].value < other.measurements["bops"].value


def test_records_and_front_are_those_of_the_slow_path(tmp_path, shortcuts):
    fast, fast_front = records(tmp_path / "fast", tmp_path / "cache")
    shortcuts.remove()
    slow, slow_front = records(tmp_path / "slow", tmp_path / "cache")
    assert len(fast) == len(slow) >= TRIALS
    for one, other in zip(fast, slow, strict=True):
        assert (one.candidate, one.state, one.origin) == (other.candidate, other.state, other.origin)
        assert one.measurements["bops"] == other.measurements["bops"]
        for name in ("acc", "pgd_naive"):
            assert one.measurements[name].n == other.measurements[name].n
            assert one.measurements[name].value == pytest.approx(other.measurements[name].value, abs=slack(name, one))
    by_number = {one.number: one for one in slow}
    assert not any(beats(other, by_number[member.number]) for member in fast_front for other in slow_front)
    by_number = {one.number: one for one in fast}
    assert not any(beats(other, by_number[member.number]) for member in slow_front for other in fast_front)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_training_leaves_the_weights_of_the_slow_path(precision, tmp_path, shortcuts):
    candidate = Candidate.parse(f"in2:{precision}:x0.25")
    fast = opened(tmp_path / "fast").ensemble(candidate).members[0]
    shortcuts.remove()
    slow = opened(tmp_path / "slow").ensemble(candidate).members[0]
    for (name, one), (_, other) in zip(fast.layers(), slow.layers(), strict=True):
        mean = (one.weight.float_weight() - other.weight.float_weight()).abs().mean()
        assert mean <= WEIGHTS * other.weight.float_weight().abs().mean(), name
