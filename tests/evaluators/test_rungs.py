"""Trainings that pause and go on: the weights they end with, what is kept, and what is measured half-way."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from paused import member
from torch import Tensor

from evaluators.base import Budget, Protocol
from evaluators.cache import DamagedEntry, Store
from evaluators.data import DataSet
from evaluators.data.batches import evaluation_batches
from evaluators.evaluator import Evaluator
from evaluators.members import MemberPool, Rung
from evaluators.networks.build import Network
from evaluators.quantizers.linear import linear_weight
from evaluators.training import loop
from evaluators.training.recipes import RECIPES
from space import Candidate, UserError

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE_NAMES = [*RECIPES]
PRECISIONS = ["pact2", "dorefa2-2", "bnn", "xnor", "mbn3x2", "ptq3", "fp~w50", "fp~c50"]
VARIED = [(recipe, "fp") for recipe in RECIPE_NAMES] + [("standard", precision) for precision in PRECISIONS]
VARIED += [("warm", "xnor"), ("fastat", "mbn2x1"), ("feedback", "dorefa2-2"), ("distill", "bnn")]


def state(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: Network, other: Network) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.fixture
def pool(store: Store, mnist5k: DataSet) -> MemberPool:
    return MemberPool(store, mnist5k)


@pytest.fixture
def elsewhere(tmp_path: Path, mnist5k: DataSet) -> MemberPool:
    """A pool with a store of its own, for the same training in one go."""
    return MemberPool(Store(tmp_path / "elsewhere"), mnist5k)


@pytest.mark.parametrize(("recipe", "precision"), VARIED)
def test_a_training_that_paused_ends_with_the_same_bits(recipe, precision, pool, elsewhere):
    spec = member(recipe, precision)
    whole = elsewhere.obtain(spec)
    rungs = []
    for epochs in (1, 2):
        fresh = MemberPool(pool.store, pool.data)  # nothing but the store carries over
        rungs.append(fresh.rung(Rung(spec, epochs)))
        torch.manual_seed(epochs)
    assert same(pool.obtain(spec), whole)
    assert not any(same(rung, whole) for rung in rungs)
    assert not same(*rungs)


def test_it_goes_on_in_another_process(pool, elsewhere):
    root, pairs = str(Path(__file__).parents[2]), ["standard/fp", "fastat/mbn2x1", "distill/bnn"]
    command = [sys.executable, str(Path(__file__).with_name("rung_run.py")), str(pool.store.root), "2", *pairs]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"})
    specs = [member(*pair.split("/")) for pair in pairs]
    assert all(pool.store.holds(Rung(spec, 2).key()) and not pool.store.holds(spec.key()) for spec in specs)
    assert all(same(pool.obtain(spec), elsewhere.obtain(spec)) for spec in specs)
    assert (pool.epochs, elsewhere.epochs) == (3, 9 + 3)  # one each, against three each and the teacher's


def test_each_epoch_is_trained_once(pool):
    spec = member()
    for epochs in (1, 1, 2, 1, 2):
        pool.rung(Rung(spec, epochs))
    assert (pool.epochs, pool.trained) == (2, 0)
    pool.obtain(spec)
    pool.obtain(spec)
    assert (pool.epochs, pool.trained) == (3, 1)


def test_a_rung_is_the_network_after_so_many_epochs_of_the_whole_course(pool, mnist5k, monkeypatch):
    """Taken out of an uninterrupted training, as its second epoch begins."""
    spec, seen = member("standard", "dorefa2-2"), []
    real = loop.Training._pass
    monkeypatch.setattr(loop.Training, "_pass", lambda one: seen.append(state(one.network)) or real(one))
    MemberPool(Store(pool.store.root / "own"), mnist5k).obtain(spec)
    rung = pool.rung(Rung(spec, 1))
    assert all(torch.equal(value, seen[1][name]) for name, value in rung.state_dict().items())
    assert not any(module.training for module in rung.modules())
    assert all(parameter.grad is None for parameter in rung.parameters())
    short = MemberPool(Store(pool.store.root / "short"), mnist5k).obtain(replace(spec, epochs=1))
    assert not same(rung, short), "a training of one epoch has a schedule of one epoch"


def test_what_a_member_starts_or_learns_from_is_trained_to_its_end(pool):
    pool.rung(Rung(member("feedback"), 1))
    assert (pool.epochs, pool.trained) == (3 + 1, 1)
    pool.rung(Rung(member("warm", "xnor"), 1))  # its twin has twice the epochs
    assert (pool.epochs, pool.trained) == (4 + 6 + 1, 2)
    pool.rung(Rung(member("warm"), 2))  # so has the full-precision member: 2 of its 3 are 4 passes
    assert (pool.epochs, pool.trained) == (11 + 4, 2)


def test_quantizing_after_training_has_the_rungs_of_what_it_quantizes(pool):
    full, quantized = pool.rung(Rung(member(), 1)), pool.rung(Rung(member(precision="ptq3"), 1))
    assert pool.epochs == 1
    for (_, ours), (_, theirs) in zip(quantized.layers(), full.layers(), strict=True):
        assert torch.equal(ours.effective_weight(), linear_weight(theirs.effective_weight(), 3))


def test_a_training_that_did_not_stop_there_has_no_such_rung(pool):
    spec = member()
    pool.rung(Rung(spec, 2))
    assert pool.rung(Rung(spec, 1)) is None
    pool.obtain(spec)
    assert pool.rung(Rung(spec, 2)) is not None
    other = member(index=1)
    pool.obtain(other)
    assert pool.rung(Rung(other, 1)) is None
    assert pool.rung(Rung(replace(other, precision="ptq3"), 1)) is None
    assert pool.epochs == 6


@pytest.mark.parametrize("collapse", [1, 2, 3])
def test_a_guard_that_ends_a_training_ends_it_where_it_was_resumed_too(collapse, pool, elsewhere, monkeypatch):
    """Accuracy under attack falls after so many epochs, whoever asks; two steps an epoch, on two batches each."""

    def accuracy(guard: loop.Guard, network: Network) -> float:
        seen = next(value for name, value in network.state_dict().items() if name.endswith("batches_tracked"))
        network.train()
        return 0.1 if seen >= 4 * collapse else 0.8

    monkeypatch.setattr(loop.Guard, "_accuracy", accuracy)
    spec = member("fastat", train_images=140)
    whole = elsewhere.obtain(spec)
    assert elsewhere.epochs == (3 if collapse == 1 else collapse), "what was never better cannot collapse"
    for epochs in (1, 2):
        MemberPool(pool.store, pool.data).rung(Rung(spec, epochs))
    assert same(pool.obtain(spec), whole)
    assert pool.epochs == elsewhere.epochs - 2


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_a_damaged_rung_counts_as_none_and_is_trained_again(suffix, pool, elsewhere):
    spec = member()
    first = pool.rung(Rung(spec, 1))
    path = pool.store.root / f"{Rung(spec, 1).key()}.{suffix}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.warns(DamagedEntry):
        assert same(pool.rung(Rung(spec, 1)), first)
    assert pool.epochs == 2
    assert same(pool.obtain(spec), elsewhere.obtain(spec))


def test_a_training_that_paused_on_a_gpu_begins_again_on_a_processor(pool, elsewhere):
    """Random numbers of one go on on the other in no way: the state of a GPU's generator is 16 bytes."""
    spec = member()
    pool.rung(Rung(spec, 1))
    entry = pool.store.load(Rung(spec, 1).key())
    paused = entry.tensors | {"generator": torch.zeros(16, dtype=torch.uint8)}
    pool.store.save(Rung(spec, 1).key(), paused, entry.meta)
    assert same(MemberPool(pool.store, pool.data).obtain(spec), elsewhere.obtain(spec))


def test_a_training_that_diverges_leaves_no_rung(pool, monkeypatch):
    monkeypatch.setitem(RECIPES, "standard", replace(RECIPES["standard"], rate=1e38))
    with pytest.raises(FloatingPointError, match="no longer finite"):
        pool.rung(Rung(member(), 1))
    assert not list(pool.store.root.glob("*.json"))


def test_every_rung_has_an_address_of_its_own():
    specs = [member(), member(index=1), member(epochs=4)]
    rungs = [Rung(spec, epochs) for spec in specs for epochs in (1, 2)]
    assert len({one.key() for one in (*specs, *rungs)}) == len(specs) + len(rungs)


def make(folder: Path, data: DataSet, epochs: int = 3) -> Evaluator:
    protocol = Protocol(dataset="mnist5k", checksum=data.checksum, network="mnistconv", epsilon=0.1)
    return Evaluator(protocol, Budget(epochs=epochs, train_images=129), MemberPool(Store(folder), data))


def by_the_model(evaluator: Evaluator, candidate: Candidate, epochs: int) -> float:
    """The half-trained networks and the true vote on every image."""
    networks = [evaluator.pool.rung(Rung(spec, epochs)) for spec in evaluator.specs(candidate)]
    if candidate.mapping is not None:
        for network in networks:
            network.map_weights(candidate.mapping.mu, candidate.mapping.layers)
    right = 0
    model = type(evaluator.ensemble(candidate))(networks, evaluator.ensemble(candidate).vote)
    for images, labels in evaluation_batches(evaluator.data.validation, 256):
        right += int((model(images) == labels).sum())
    return right / len(evaluator.data.validation)


@pytest.mark.parametrize(
    "text", ["fp", "fp:mu255@1", "xnor+xnor", "dorefa2-2+fp+xnor:majority", "ptq3+fp", "in2:mbn2x1"]
)
def test_the_accuracy_at_a_rung_is_that_of_half_trained_members(text, store, mnist5k):
    evaluator, candidate = make(store.root, mnist5k), Candidate.parse(f"{text}:x0.125")
    found = [evaluator.rung_accuracy(candidate, epochs) for epochs in (1, 2)]
    trained = len({spec.origin() or spec for spec in evaluator.specs(candidate)})
    assert (evaluator.pool.epochs, evaluator.pool.trained) == (2 * trained, 0)
    assert {(one.unit, one.n) for one in found} == {("fraction", len(mnist5k.validation))}
    assert [one.value for one in found] == [by_the_model(evaluator, candidate, epochs) for epochs in (1, 2)]
    again = make(store.root, mnist5k)
    assert [again.rung_accuracy(candidate, epochs).value for epochs in (1, 2)] == [one.value for one in found]
    assert (again.pool.epochs, again.answers.passes) == (0, 0)


def test_a_full_measurement_is_what_it_would_have_been_without_rungs(store, mnist5k, tmp_path):
    candidate = Candidate.parse("xnor+dorefa2-2:x0.125")
    evaluator = make(store.root, mnist5k)
    evaluator.rung_accuracy(candidate, 1)
    found = dict(evaluator.measure(candidate, ["acc"]))["acc"]
    plain = dict(make(tmp_path / "plain", mnist5k).measure(candidate, ["acc"]))["acc"]
    assert replace(found, seconds=0.0) == replace(plain, seconds=0.0)
    assert (evaluator.pool.epochs, evaluator.pool.trained) == (6, 2)


def test_members_that_went_further_have_no_accuracy_there_and_nothing_is_trained(store, mnist5k):
    evaluator = make(store.root, mnist5k)
    evaluator.ensemble(Candidate.parse("fp:x0.125"))
    assert evaluator.rung_accuracy(Candidate.parse("fp+xnor:x0.125"), 1) is None
    assert evaluator.pool.epochs == 3


def test_kept_answers_serve_when_the_state_is_gone(store, mnist5k):
    evaluator, candidate = make(store.root, mnist5k), Candidate.parse("fp:x0.125")
    before = evaluator.rung_accuracy(candidate, 1)
    evaluator.ensemble(candidate)
    (spec,) = evaluator.specs(candidate)
    for suffix in ("safetensors", "json"):
        (store.root / f"{Rung(spec, 1).key()}.{suffix}").unlink()
    again = make(store.root, mnist5k)
    assert again.rung_accuracy(candidate, 1).value == before.value
    assert again.rung_accuracy(Candidate.parse("fp:mu255@1:x0.125"), 1) is None
    assert again.pool.epochs == 0


@pytest.mark.parametrize("epochs", [0, 3, 1.5, True])
def test_a_rung_lies_within_the_training(epochs, store, mnist5k):
    with pytest.raises(UserError, match=r"epochs of a rung out of range: got .*; expected 1 to 2, a whole number"):
        make(store.root, mnist5k).rung_accuracy(Candidate.parse("fp:x0.125"), epochs)
