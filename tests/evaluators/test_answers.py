"""Kept answers: the accuracy of every ensemble of known members, equal to the last image, without any training."""

from itertools import combinations_with_replacement, product
from pathlib import Path

import pytest
import torch

from evaluators import answers as module
from evaluators.answers import BATCH, Answer
from evaluators.base import Budget, Protocol
from evaluators.cache import DamagedEntry, Store
from evaluators.data import DataSet, Split
from evaluators.data.batches import evaluation_batches
from evaluators.evaluator import Evaluator
from evaluators.members import MemberPool
from evaluators.votes import vote_named
from space import Candidate

TOKENS = ("fp", "xnor", "mbn2x1")
BUDGET = Budget(epochs=2, train_images=400, images=40, steps=2)


def make(folder: Path, data: DataSet) -> Evaluator:
    protocol = Protocol(dataset="mnist5k", checksum=data.checksum, network="fcn2", epsilon=0.1, source="fp:x0.25")
    return Evaluator(protocol, BUDGET, MemberPool(Store(folder), data))


def design(text: str) -> Candidate:
    return Candidate.parse(f"{text}:x0.25")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mnist5k: DataSet) -> Path:
    """A store with a member of each token, two of xnor, and nothing else."""
    folder = tmp_path_factory.mktemp("members")
    evaluator = make(folder, mnist5k)
    for text in ("fp", "xnor+xnor", "mbn2x1"):
        evaluator.ensemble(design(text))
    return folder


@pytest.fixture
def evaluator(folder: Path, mnist5k: DataSet) -> Evaluator:
    return make(folder, mnist5k)


def known_designs() -> list[Candidate]:
    groups = [group for size in (1, 2, 3) for group in combinations_with_replacement(TOKENS, size)]
    groups = [group for group in groups if group.count("fp") < 2 and group.count("mbn2x1") < 2]
    groups = [group for group in groups if group.count("xnor") < 3]
    tails = product(("", ":majority"), ("", ":mu255@1", ":mu9@3"))
    return [design("+".join(group) + vote + mapping) for (vote, mapping), group in product(tails, groups)]


def by_the_model(evaluator: Evaluator, candidate: Candidate) -> float:
    """The true network with its true vote on every image, batch by batch as attacks see them."""
    model, right = evaluator.ensemble(candidate), 0
    for images, labels in evaluation_batches(evaluator.data.validation, BATCH):
        right += int((model(images) == labels).sum())
    return right / len(evaluator.data.validation)


def test_every_ensemble_vote_and_mapping_is_known_to_the_last_image(evaluator):
    candidates = known_designs()
    found = evaluator.free_accuracy(candidates)
    assert [one.value for one in found] == [by_the_model(evaluator, candidate) for candidate in candidates]
    assert len({one.value for one in found}) > 15
    assert {one.n for one in found} == {len(evaluator.data.validation)}
    assert evaluator.pool.trained == 0


def test_it_is_what_a_trial_measures(evaluator, folder, mnist5k):
    for candidate in known_designs()[::5]:
        (free,) = evaluator.free_accuracy([candidate])
        measured = dict(make(folder, mnist5k).measure(candidate, ["acc"]))["acc"]
        assert (free.value, free.stderr, free.n) == (measured.value, measured.stderr, measured.n)


def test_each_member_and_mapping_is_passed_over_once(folder, mnist5k, tmp_path):
    evaluator = make(folder, mnist5k)
    evaluator.free_accuracy(known_designs())
    passes = evaluator.answers.passes
    assert passes <= 4 * 3
    evaluator.free_accuracy(known_designs())
    assert evaluator.answers.passes == passes
    another = make(folder, mnist5k)
    another.free_accuracy(known_designs())
    assert another.answers.passes == 0, "the store has them"


def test_what_needs_a_training_is_not_known_and_trains_nothing(evaluator):
    texts = ["fp+fp", "in2:fp", "pact4", "fp+xnor+pact4", "fp:warm", "xnor+xnor+xnor"]
    assert evaluator.free_accuracy([design(text) for text in texts]) == [None] * len(texts)
    assert not any(evaluator.known(design(text)) for text in texts)
    assert all(evaluator.known(candidate) for candidate in known_designs())
    assert (evaluator.pool.trained, evaluator.answers.passes) == (0, 0)


def test_a_trial_that_measures_only_clean_accuracy_loads_no_known_network(evaluator, monkeypatch):
    evaluator.free_accuracy([design("fp+xnor")])
    monkeypatch.setattr(evaluator.pool, "obtain", None)
    assert dict(evaluator.measure(design("fp+xnor:majority"), ["acc"])).keys() == {"acc"}


def entries(evaluator: Evaluator, candidate: Candidate) -> list[Path]:
    """Where the answers of a single member lie."""
    (spec,) = evaluator.specs(candidate)
    key = evaluator.answers._key(spec, candidate.mapping)
    return [evaluator.pool.store.root / f"{key}.{suffix}" for suffix in ("safetensors", "json")]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_a_damaged_answer_is_computed_again(which, harm, evaluator, folder, mnist5k):
    candidate = design("mbn2x1:mu255@1")
    before = evaluator.free_accuracy([candidate])
    path = entries(evaluator, candidate)[which]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink() if harm == "remove" else path.write_bytes(content if harm == "flip" else content[:-9])
    fresh = make(folder, mnist5k)
    with pytest.warns(DamagedEntry):
        assert fresh.free_accuracy([candidate]) == before
    assert (fresh.answers.passes, fresh.pool.trained) == (1, 0)
    assert make(folder, mnist5k).free_accuracy([candidate]) == before


def test_a_damaged_member_is_not_known_and_not_trained_for_nothing(folder, mnist5k, tmp_path):
    evaluator = make(tmp_path / "own", mnist5k)
    evaluator.ensemble(design("fp"))
    (spec,) = evaluator.specs(design("fp"))
    path = evaluator.pool.store.root / f"{spec.key()}.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    fresh = make(tmp_path / "own", mnist5k)
    with pytest.warns(DamagedEntry):
        assert fresh.free_accuracy([design("fp")]) == [None]
    path.unlink()
    assert fresh.free_accuracy([design("fp")]) == [None]
    assert fresh.pool.trained == 0


def test_other_images_have_answers_of_their_own(evaluator, folder, mnist5k):
    split = mnist5k.validation
    held = Split(split.images[:300], split.labels[:300])
    other = make(folder, DataSet(**{**vars(mnist5k), "validation": held}))
    candidate = design("fp+xnor:majority")
    (ours,), (theirs,) = evaluator.free_accuracy([candidate]), other.free_accuracy([candidate])
    assert (ours.n, theirs.n) == (len(split), 300)
    assert theirs.value == by_the_model(other, candidate)


def test_memory_is_bounded(folder, mnist5k, monkeypatch):
    evaluator = make(folder, mnist5k)
    one = len(mnist5k.validation) * (10 * 4 + 8 + 4)
    monkeypatch.setattr(module, "MOST_KEPT", 3 * one)
    first = evaluator.free_accuracy(known_designs())
    assert len(evaluator.answers._kept) == 3
    assert evaluator.free_accuracy(known_designs()) == first


@pytest.mark.parametrize("name", ["mean", "majority"])
def test_a_vote_over_kept_parts_is_the_vote_over_logits(name):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 500, 10, generator=generator)
    logits[:, ::3] = logits[:, ::3].round()  # ties
    logits[:, 1::3] *= 60  # ties of float32
    vote = vote_named(name, [True, False, False])
    answers = [Answer.of(one) for one in logits]
    probabilities = torch.stack([answer.probabilities for answer in answers])
    classes = torch.stack([answer.classes for answer in answers])
    leads = torch.stack([answer.leads for answer in answers])
    assert torch.equal(vote.decide(probabilities, classes, leads), vote.predict(logits))
