"""The evaluator on real digits, at budgets of seconds: what it measures, in which order, and what it never does."""

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from evaluators import judge as module
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.catalogue import build
from evaluators.attacks.spec import AttackSpec
from evaluators.base import Budget, Measurement, Protocol
from evaluators.cache import Store
from evaluators.data import DataSet
from evaluators.data.batches import evaluation_batches
from evaluators.evaluator import Evaluator
from evaluators.judge import TOGETHER
from evaluators.members import MemberPool
from evaluators.objectives import BOUND, OBJECTIVES
from evaluators.seeds import stream
from evaluators.training.recipes import RECIPES
from evaluators.votes import MajorityVote, MeanVote
from space import Candidate, Member, Precision, UnknownName, UserError

BUDGET = Budget(epochs=3, train_images=600, images=300, steps=3, restarts=2)
ALL = tuple(OBJECTIVES)


class Untouchable:
    """A split that may not even be looked at."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"the test split was touched: {name}")


def make(folder: Path, data: DataSet, *, budget: Budget = BUDGET, **changes: object) -> Evaluator:
    settings = {"dataset": "mnist5k", "checksum": data.checksum, "network": "fcn2", "epsilon": 0.1}
    settings |= {"source": "fp:x0.25"} | changes
    protected = replace(data, test=Untouchable())  # type: ignore[arg-type]
    return Evaluator(Protocol(**settings), budget, MemberPool(Store(folder), protected))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests of this file: what one has trained the others only read."""
    return tmp_path_factory.mktemp("members")


@pytest.fixture
def evaluator(folder: Path, mnist5k: DataSet) -> Evaluator:
    return make(folder, mnist5k)


def design(text: str) -> Candidate:
    return Candidate.parse(f"{text}:x0.25")


def measured(evaluator: Evaluator, text: str, *names: str) -> dict[str, Measurement]:
    return {name: one for name, one in evaluator.measure(design(text), names or ALL) if name != BOUND}


def values(evaluator: Evaluator, text: str, *names: str) -> dict[str, float]:
    return {name: one.value for name, one in measured(evaluator, text, *names).items()}


def test_measurements_come_in_the_order_of_their_cost_however_they_are_asked_for(evaluator):
    for names in (ALL, ALL[::-1], ("pgd", "bops"), ("fgsm", "acc", "acc"), ("memory",), ()):
        found = [name for name, _ in evaluator.measure(design("xnor"), names) if name != BOUND]
        come_along = TOGETHER if "pgd" in names else ()
        assert found == [name for name in OBJECTIVES if name in (*names, *come_along)]


def test_on_the_way_to_the_worst_case_comes_what_stands_so_far(evaluator):
    """Never more than before, plain PGD's first, and never less than the worst case."""
    for text in ("xnor", "in2:fp+xnor"):
        row = [(name, one.value) for name, one in evaluator.measure(design(text), ("pgd",))]
        assert [name for name, _ in row] == ["pgd_naive", BOUND, BOUND, BOUND, "certified", "pgd"]
        stands = [value for name, value in row if name != "certified"]
        assert stands == sorted(stands, reverse=True)
        assert dict(row)["certified"] <= dict(row)["pgd"]


def test_who_has_seen_enough_of_the_bounds_pays_for_no_more(evaluator):
    measured = evaluator.measure(design("xnor"), ("pgd",))
    assert [next(measured)[0], next(measured)[0]] == ["pgd_naive", BOUND]
    measured.close()


def test_units_counts_and_errors_are_those_of_a_share(evaluator, mnist5k):
    found = measured(evaluator, "mbn2x1")
    for name, one in found.items():
        assert one.unit == OBJECTIVES[name].unit
        if OBJECTIVES[name].stage == "cost":
            assert (one.n, one.stderr) == (0, 0)
            continue
        assert one.n == (len(mnist5k.validation) if name == "acc" else 300)
        assert 0 <= one.value <= 1
        assert one.value * one.n == pytest.approx(round(one.value * one.n))
        assert one.stderr == pytest.approx(math.sqrt(one.value * (1 - one.value) / one.n))
        assert one.seconds > 0
    assert 0.3 < found["acc"].value < 1
    assert found["pgd"].value <= found["bim"].value + 0.05 <= found["fgsm"].value + 0.1


def test_seconds_are_those_that_passed_training_included(folder, mnist5k):
    fresh = make(folder / "timed", mnist5k)
    began = time.perf_counter()
    found = measured(fresh, "fp")
    passed = time.perf_counter() - began
    assert 0.5 * passed < sum(one.seconds for one in found.values()) <= passed
    assert found["acc"].seconds > found["fgsm"].seconds


def test_the_worst_case_took_as_long_as_all_its_searches(evaluator):
    began = time.perf_counter()
    row = list(evaluator.measure(design("xnor"), ("pgd",)))
    passed = time.perf_counter() - began
    so_far = [one.seconds for name, one in row if name == BOUND]
    assert so_far[0] == 0 and so_far == sorted(so_far)
    told = {name: one.seconds for name, one in row if name != BOUND}
    assert 0.9 * passed < sum(told.values()) <= passed
    assert told["certified"] == told["pgd"] > so_far[-1] / 2


@pytest.mark.parametrize("text", ["fp", "in2:dorefa2-2", "fp+xnor+mbn2x1:majority", "xnor:mu255@1"])
def test_values_are_those_of_the_model_it_builds(text, evaluator, mnist5k):
    model, found = evaluator.ensemble(design(text)), measured(evaluator, text)
    held_out = mnist5k.validation
    right = (model(held_out.images.float() / 255) == held_out.labels).sum().item()
    assert found["acc"].value == right / len(held_out)
    threat = ThreatModel(epsilon=0.1, where="raw")
    for name in ("fgsm", "rfgsm", "uniform", "gaussian", "bim", "mim", "pgd_naive", "cw"):
        plain = "pgd" if name == "pgd_naive" else name
        strength = {"steps": 50 if name == "cw" else 3, "restarts": 2 if plain == "pgd" else 1}
        attack = build(AttackSpec(name=plain, **strength))
        standing = 0
        for number, (images, labels) in enumerate(evaluation_batches(held_out.head(300), 256)):
            noise = stream(0, "attack", plain, str(number))
            outcome = attack(model, images, labels, threat, noise)
            standing += (~outcome.broken).sum().item()
        assert found[name].value == standing / 300


def test_accuracy_under_attack_is_never_above_the_clean_one_of_the_same_images(evaluator, mnist5k):
    for text in ("fp", "in2:dorefa2-2", "fp+xnor+mbn2x1:majority"):
        first = mnist5k.validation.head(300)
        clean = (evaluator.ensemble(design(text))(first.images.float() / 255) == first.labels).float().mean().item()
        found = values(evaluator, text, "fgsm", "bim", "pgd")
        assert max(found.values()) < clean


def test_the_worst_case_is_at_most_every_attack_of_its_threat_and_at_least_the_certificate(evaluator):
    for text in ("fp", "in2:dorefa2-2", "fp+xnor+mbn2x1:majority"):
        found = values(evaluator, text, "fgsm", "transfer", "pgd")
        assert found["certified"] <= found["pgd"] <= found["pgd_naive"]
        assert found["pgd"] <= found["transfer"] and found["pgd"] <= found["fgsm"]


def test_the_worst_case_carries_the_flags_and_comes_along_where_only_the_certificate_is_asked_for(evaluator):
    found = measured(evaluator, "xnor", "certified")
    assert tuple(found) == TOGETHER
    assert all(flag.partition(":")[0] in ("suspect", "masked") for flag in found["pgd"].flags)
    assert not found["pgd_naive"].flags and not found["certified"].flags
    assert list(dict(evaluator.measure(design("xnor"), ["pgd_naive"]))) == ["pgd_naive"]


def test_attacks_of_no_steps_leave_the_clean_accuracy(folder, mnist5k):
    still = make(folder, mnist5k, budget=replace(BUDGET, steps=0, images=10**9))
    found = values(still, "fp")
    assert found["fgsm"] == found["bim"] == found["pgd"] == found["acc"]


def test_more_images_than_there_are_means_all(folder, mnist5k):
    greedy = make(folder, mnist5k, budget=replace(BUDGET, images=10**6, steps=1, restarts=1))
    assert measured(greedy, "fp", "pgd")["pgd"].n == len(mnist5k.validation)


def test_the_threat_model_is_the_protocols(folder, evaluator, mnist5k):
    behind = make(folder, mnist5k, threat="discretised")
    there, here = values(behind, "in2:dorefa2-2", "pgd"), values(evaluator, "in2:dorefa2-2", "pgd")
    assert there["pgd_naive"] > here["pgd_naive"]
    assert there["pgd"] == pytest.approx(here["pgd"], abs=0.01), "the worst case stands before the discretizer"
    first = mnist5k.validation.head(300)
    model = behind.ensemble(design("in2:dorefa2-2"))
    clean = (model(first.images.float() / 255) == first.labels).float().mean().item()
    assert there["pgd_naive"] == pytest.approx(clean)  # 0.1 is less than half a bin
    assert values(behind, "fp", "pgd_naive") == values(evaluator, "fp", "pgd_naive")


def test_a_larger_ball_leaves_less(folder, mnist5k):
    left = [values(make(folder, mnist5k, epsilon=e), "fp", "pgd")["pgd"] for e in (0.0, 0.05, 0.1, 0.3)]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[1] > left[2]


def test_known_members_are_never_trained_again(folder, mnist5k):
    first = make(folder / "known", mnist5k)
    for text in ("fp", "in2:dorefa2-2", "in2:xnor"):
        values(first, text, "acc")
    values(first, "in2:fp", "acc")
    assert first.pool.trained == 4
    for text in (
        "fp:mu255@1",
        "fp:mu1@5",
        "in2:dorefa2-2:mu255@2",
        "in2:fp+dorefa2-2:mean",
        "in2:fp+xnor:majority",
        "in2:fp+dorefa2-2+xnor:majority:mu100@1",
        "in2:dorefa2-2+xnor",
    ):
        values(first, text, "acc", "fgsm")
    other_attack = make(folder / "known", mnist5k, budget=replace(BUDGET, steps=1, images=7, restarts=1), epsilon=0.3)
    values(other_attack, "in2:fp+dorefa2-2:mean")
    assert (first.pool.trained, other_attack.pool.trained) == (4, 0)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("in4:fp", {}),
        ("fp+fp", {}),
        ("fp", {"epochs": 1}),
        ("fp", {"train_images": 599}),
        ("pact3", {}),
        ("fp:warm", {}),
    ],
)
def test_other_members_are_trained(text, changes, folder, mnist5k, evaluator):
    values(evaluator, "fp", "acc")
    other = make(folder, mnist5k, budget=replace(BUDGET, **changes))
    values(other, text, "acc")
    assert other.pool.trained >= 1


def test_mapping_touches_neither_the_cache_nor_later_candidates(evaluator):
    before = values(evaluator, "fp", "acc", "pgd")
    mapped = evaluator.ensemble(design("fp:mu65535@5"))
    assert [layer.mu for _, layer in mapped.members[0].layers()] == [65535] * 5
    one = evaluator.ensemble(design("fp+xnor:mu9@1"))
    assert [[layer.mu for _, layer in m.layers()] for m in one.members] == [[0, 0, 0, 0, 9]] * 2
    assert values(evaluator, "fp", "acc", "pgd") == before


def test_the_vote_is_the_candidates_and_knows_the_full_precision_members(evaluator):
    vote = evaluator.ensemble(design("fp+fp+xnor:majority")).vote
    assert isinstance(vote, MajorityVote)
    assert vote.full_precision == [0, 1]
    assert isinstance(evaluator.ensemble(design("fp+xnor:mean")).vote, MeanVote)
    assert isinstance(evaluator.ensemble(design("xnor")).vote, MeanVote)


def test_nothing_dearer_than_what_is_taken_is_computed(folder, mnist5k, monkeypatch):
    lazy = make(folder / "lazy", mnist5k)
    free = ["bops", "memory", "activations", "baskin", "ops64"]
    assert [name for name, _ in islice(lazy.measure(design("xnor"), ALL), 5)] == free
    assert lazy.pool.trained == 0

    prepare = module.objective_attack

    def forbidden(name: str, *rest: object) -> object:
        assert name == "acc", "an attack was prepared"
        return prepare(name, *rest)

    monkeypatch.setattr(module, "objective_attack", forbidden)
    assert [name for name, _ in islice(lazy.measure(design("xnor"), ALL), 6)] == [*free, "acc"]
    assert lazy.pool.trained == 1
    with pytest.raises(AssertionError, match="an attack was prepared"):
        list(lazy.measure(design("xnor"), ALL))


def test_costs_alone_train_nothing_and_agree_with_cost(folder, mnist5k):
    lazy = make(folder / "free", mnist5k)
    costs = lazy.cost(design("fp+mbn3x3"))
    assert dict(lazy.measure(design("fp+mbn3x3"), ["memory", "bops"])) == {
        name: costs[name] for name in ("bops", "memory")
    }
    assert dict(lazy.measure(design("fp+mbn3x3"), list(costs))) == costs
    assert lazy.pool.trained == 0


def test_costs_are_those_of_the_images_at_hand(evaluator, mnist5k):
    hidden, layers = 150, [(784 * 150, 64), *[(150 * 150, 6)] * 3, (150 * 10, 64)]
    assert hidden == 600 * 0.25
    assert evaluator.cost(design("mbn2x3"))["bops"].value == sum(macs * bits for macs, bits in layers)
    three = Evaluator(evaluator.protocol, BUDGET, MemberPool(evaluator.pool.store, replace(mnist5k, classes=3)))
    assert three.cost(design("fp"))["memory"].value == 784 * 150 + 3 * 150**2 + 150 * 3


def test_equal_designs_have_equal_values(evaluator):
    twice = Member(Precision.parse("xnor"))
    loose = Candidate(members=(twice, twice, Member(Precision.parse("fp"))), width=0.25)
    found = {name: one.value for name, one in evaluator.measure(loose, ["acc", "fgsm"])}
    assert found == values(evaluator, "fp+xnor+xnor", "acc", "fgsm")


SCRIPT = """
import json, sys
from pathlib import Path
from evaluators import Budget, open_evaluator
from space import Candidate
folder, texts = Path(sys.argv[1]), sys.argv[2:]
budget = Budget(epochs=3, train_images=600, images=300, steps=3, restarts=2)
evaluator = open_evaluator(dataset="mnist5k", network="fcn2", epsilon=0.1, device="cpu", budget=budget, cache=folder)
found = {text: dict(evaluator.measure(Candidate.parse(text), ["acc", "pgd"])) for text in texts}
print(json.dumps({text: {n: m.value for n, m in row.items() if "@" not in n} for text, row in found.items()}))
"""


def test_another_process_measures_the_same(evaluator, tmp_path):
    texts = ["mbn2x1", "in2:dorefa2-2", "fp+xnor+mbn2x1:majority"]
    ours = {f"{text}:x0.25": values(evaluator, text, "acc", "pgd") for text in texts}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), *reversed(ours)]
    threads = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    root = Path(module.__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=threads, cwd=root)
    assert json.loads(done.stdout) == ours


def test_a_candidate_that_maps_too_many_layers_is_refused_before_any_training(folder, mnist5k):
    strict = make(folder / "strict", mnist5k)
    text = r"fp:mu255@6:x0.25 maps more layers than fcn2 has: got 6; expected at most 5"
    for refuses in (lambda: strict.cost(design("fp:mu255@6")), lambda: list(strict.measure(design("fp:mu255@6"), ALL))):
        with pytest.raises(UserError) as raised:
            refuses()
        assert str(raised.value) == text
    assert strict.pool.trained == 0


def test_unknown_objectives_are_named_before_any_training(folder, mnist5k):
    strict = make(folder / "strict", mnist5k)
    with pytest.raises(UnknownName, match=r"unknown objective: got 'pdg'; .*; hint: did you mean 'pgd'\?"):
        list(strict.measure(design("fp"), ["acc", "pdg"]))
    assert strict.pool.trained == 0


def test_a_diverging_member_raises_from_measure(folder, mnist5k, monkeypatch):
    monkeypatch.setitem(RECIPES, "standard", replace(RECIPES["standard"], rate=1e38))
    with pytest.raises(FloatingPointError, match="no longer finite"):
        measured(make(folder / "diverging", mnist5k), "fp", "acc")


def test_seeds_change_attack_starts_and_trainings(folder, mnist5k, evaluator):
    other = make(folder, mnist5k, seed=1)
    assert values(other, "fp", "acc", "pgd") != values(evaluator, "fp", "acc", "pgd")
    assert other.pool.trained == 1


def test_another_run_has_other_seeds_and_the_same_images_and_is_found_again(folder, mnist5k, evaluator):
    pool = evaluator.pool
    second, again, third = evaluator.repeated(2), make(folder, mnist5k).repeated(2), evaluator.repeated(3)
    found = values(second, "fp", "acc", "pgd", "bops")
    assert second.data is evaluator.data
    assert pool.trained == 1
    assert values(again, "fp", "acc", "pgd", "bops") == found
    assert again.pool.trained == 0
    first, last = values(evaluator, "fp", "acc", "pgd", "bops"), values(third, "fp", "acc", "pgd", "bops")
    assert len({first["acc"], found["acc"], last["acc"]}) == 3
    assert first["bops"] == found["bops"] == last["bops"]
    with pytest.raises(UserError, match="run out of range: got 1; expected 2 to"):
        evaluator.repeated(1)


def test_a_specification_carries_the_protocol_and_the_budget(evaluator):
    evaluator = Evaluator(replace(evaluator.protocol, seed=7, autocast="bfloat16"), BUDGET, evaluator.pool)
    spec = evaluator._spec(design("in3:xnor"), Member(Precision.parse("xnor"), 2))
    assert asdict(spec) == {
        "precision": "xnor",
        "index": 2,
        "network": "fcn2",
        "plan": {"shape": (1, 28, 28), "classes": 10, "width": 0.25},
        "input_bits": 3,
        "recipe": "standard",
        "epochs": 3,
        "train_images": 600,
        "dataset": evaluator.data.checksum,
        "seed": 7,
        "autocast": "bfloat16",
        "epsilon": 0.0,
    }
    attacked = evaluator._spec(design("xnor:pgd"), Member(Precision.parse("xnor")))
    assert attacked.epsilon == evaluator.protocol.epsilon > 0
