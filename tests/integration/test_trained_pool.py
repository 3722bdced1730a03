"""Proposals from the pool on real digits: trained members, true attacks, not one step of training."""

from pathlib import Path

import pytest

from evaluators import Budget, open_evaluator
from evaluators.evaluator import Evaluator
from space import Candidate, SearchSpace
from studies import Record, Stop, Study, StudyConfig, TrialFinished, TrialStarted
from studies.proposals import proposer as module

SPACE = SearchSpace(
    input_bits=(2, 8),
    precisions=("fp", "xnor", "mbn2x1", "dorefa2-2"),
    members=(1, 2, 3),
    full_precision=(0, 1),
    votes=("mean", "majority"),
    mu=(0, 255),
    widths=(0.25,),
)
BUDGET = Budget(epochs=1, train_images=300, images=10, steps=1)


def opened(cache: Path) -> Evaluator:
    return open_evaluator(
        dataset="mnist5k", network="fcn2", epsilon=0.1, source="fp:x0.25", budget=BUDGET, device="cpu", cache=cache
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Evaluator, dict[int, int]]:
    """A study of 14 trials, its evaluator, and how many trainings each trial took."""
    folder = tmp_path_factory.mktemp("pool")
    evaluator, trainings, before = opened(folder / "cache"), {}, 0
    config = StudyConfig(
        objectives=("acc", "pgd_naive", "bops"),
        space=SPACE,
        protocol=evaluator.protocol,
        budget=evaluator.budget,
        sampler="random",
        proposals="pool",
        full=True,
    )

    def listen(event: object) -> None:
        nonlocal before
        if isinstance(event, TrialStarted):
            before = evaluator.pool.trained
        if isinstance(event, TrialFinished):
            trainings[event.record.number] = evaluator.pool.trained - before

    study = Study.open(folder / "study", config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Growth, "usual", 0.0)  # whatever the sampler brings, the pool has its turns
        study.run(evaluator, Stop(trials=14), listen)
    return study, evaluator, trainings


def proposed(study: Study) -> list[Record]:
    return [record for record in study.records() if record.origin == "pool"]


def test_what_the_pool_proposes_takes_an_attack_and_no_training(told):
    study, _, trainings = told
    assert len(proposed(study)) >= 4
    assert {trainings[record.number] for record in proposed(study)} == {0}
    assert sum(trainings[record.number] for record in study.records() if record.origin != "pool") >= 4
    assert all(record.state == "complete" for record in study.records())
    assert any("+" in record.candidate for record in proposed(study))


def test_its_clean_accuracy_was_known_before(told):
    study, evaluator, _ = told
    free = evaluator.free_accuracy([Candidate.parse(record.candidate) for record in study.records()])
    for known, record in zip(free, study.records(), strict=True):
        measured = record.measurements["acc"]
        assert (known.value, known.stderr, known.n) == (measured.value, measured.stderr, measured.n)


def test_another_process_would_propose_the_same(told):
    """A proposer made afresh from the records, with an evaluator made afresh from the cache."""
    study, evaluator, _ = told
    fresh = opened(evaluator.pool.store.root)
    records = study.records()
    for end in [record.number for record in proposed(study)]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.Growth, "usual", 0.0)
            again = module.Proposer(study.config, study.bounds, fresh).propose(records[:end])
        assert again == (Candidate.parse(records[end].candidate), "pool")
    assert fresh.pool.trained == 0
