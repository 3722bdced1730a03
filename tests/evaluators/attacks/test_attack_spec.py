"""Attacks as papers state them: what is refused, what is built, and that `judge` agrees with every other route."""

import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evaluators import AttackSpec
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.carlini import CarliniWagner
from evaluators.attacks.catalogue import build
from evaluators.attacks.noise import Noise
from evaluators.base import Budget, Measurement, Protocol
from evaluators.cache import Store
from evaluators.data import DataSet
from evaluators.data.batches import evaluation_batches
from evaluators.evaluator import Evaluator
from evaluators.judge import Judge
from evaluators.members import MemberPool
from evaluators.robustness.worst_case import WorstCase
from evaluators.seeds import stream
from space import Candidate, UnknownName, UserError

FP, XNOR = Candidate.parse("fp:x0.25"), Candidate.parse("in2:xnor:x0.25")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory, mnist5k: DataSet) -> Evaluator:
    protocol = Protocol(dataset="mnist5k", checksum=mnist5k.checksum, network="fcn2", epsilon=0.06)
    budget = Budget(epochs=3, train_images=600, images=300, steps=4, restarts=2)
    return Evaluator(protocol, budget, MemberPool(Store(tmp_path_factory.mktemp("members")), mnist5k))


def values(
    evaluator: Evaluator, candidate: Candidate, specs: Sequence[AttackSpec | None], **rest: object
) -> list[float]:
    return [one.value for one in evaluator.judge(candidate, specs, **rest)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "pdg"}, "unknown attack: got 'pdg'; .*did you mean 'pgd'"),
        ({"epsilon": 8}, "epsilon out of range: got 8; expected 0 to 1; hint: pixels are in"),
        ({"epsilon": math.nan}, "epsilon out of range"),
        ({"steps": -1}, "attack steps out of range: got -1"),
        ({"steps": 2.0}, "attack steps out of range: got 2.0; expected 0 to 100000, a whole number"),
        ({"step_size": 2}, "step size out of range: got 2; expected 0 to 1"),
        ({"restarts": 0}, "attack restarts out of range: got 0"),
        ({"runs": 0}, "attack runs out of range: got 0"),
        ({"threat": "row"}, "unknown threat model: got 'row'; .*did you mean 'raw'"),
        ({"name": "cw", "step_size": 0.1}, "step size of cw: got 0.1; expected none"),
        ({"name": "gaussian", "step_size": 0.1}, "step size of gaussian: got 0.1; expected none"),
        ({"name": "bim", "restarts": 2}, "restarts of bim: got 2; expected 1; hint: pgd and worst alone have more"),
        ({"name": "uniform", "source": FP}, "source of uniform: got fp:x0.25; expected none: no gradient is taken"),
        ({"name": "worst", "source": FP}, "source of worst: got fp:x0.25; expected none: its own"),
        ({"name": "worst", "step_size": 0.1}, "step size of worst: got 0.1; expected none"),
    ],
)
def test_what_means_nothing_is_refused(fields, said):
    with pytest.raises(UserError, match=said) as refusal:
        AttackSpec(**{"name": "pgd", **fields})
    assert isinstance(refusal.value, UnknownName) == said.startswith("unknown")


def test_a_specification_is_made_without_torch():
    program = "import sys; from evaluators import AttackSpec; AttackSpec(name='pgd'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_papers_attacks_are_built_from_the_parts():
    paper_b = AttackSpec(name="pgd", epsilon=2 / 255, step_size=0.5 / 255, steps=50, restarts=3)
    assert build(paper_b) == Ascent(steps=50, step_size=0.25, start="uniform", restarts=3)
    empir = build(AttackSpec(name="bim", epsilon=0.3, step_size=0.01, steps=40))
    assert empir == Ascent(steps=40, step_size=0.01 / 0.3)
    assert build(AttackSpec(name="mim", epsilon=0.1, steps=10)) == Ascent(steps=10, step_size=0.1, decay=1.0)
    assert build(AttackSpec(name="cw", steps=7)) == CarliniWagner(steps=7)
    assert build(AttackSpec(name="gaussian")) == Noise(kind="gaussian")
    assert build(AttackSpec(name="pgd", epsilon=0.0, step_size=0.1)).step_size == 0.25  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["fgsm", "rfgsm", "uniform", "gaussian", "bim", "mim", "pgd", "cw"])
def test_no_steps_leave_the_clean_accuracy(evaluator, name):
    assert len(set(values(evaluator, XNOR, [None, AttackSpec(name=name, epsilon=0.3, steps=0)], images=40))) == 1


@pytest.mark.parametrize("candidate", [FP, XNOR], ids=str)
def test_judge_and_measure_agree(evaluator, candidate):
    measured = dict(evaluator.measure(candidate, ["acc", "fgsm", "gaussian", "pgd", "cw"]))
    plain = {"epsilon": 0.06, "steps": 4}
    specs = [AttackSpec(name=name, **plain) for name in ("fgsm", "gaussian")]
    specs += [AttackSpec(name=name, restarts=2, **plain) for name in ("pgd", "worst")]
    specs.append(AttackSpec(name="cw", steps=50))
    found = list(evaluator.judge(candidate, specs, images=300))
    for name, one in zip(("fgsm", "gaussian", "pgd_naive", "pgd", "cw"), found, strict=True):
        assert replace(one, seconds=0) == replace(measured[name], seconds=0)
    [clean] = evaluator.judge(candidate, [None])
    assert replace(clean, seconds=0) == replace(measured["acc"], seconds=0)


@pytest.mark.parametrize("name", ["fgsm", "uniform", "gaussian"])
@pytest.mark.parametrize("threat", ["raw", "discretised"])
def test_a_sweep_is_its_attacks_one_by_one(evaluator, name, threat):
    specs = [AttackSpec(name=name, epsilon=epsilon, threat=threat) for epsilon in (0.3, 0.0, 0.1, 0.3, 0.2)]
    found = values(evaluator, XNOR, specs, images=300)
    assert found == [values(evaluator, XNOR, [spec], images=300)[0] for spec in specs]
    assert found[1] == values(evaluator, XNOR, [None], images=300)[0]
    assert found[0] == found[3] < found[1]


def passed(model_of: Callable[..., torch.nn.Module], act: Callable[[], object], monkeypatch) -> list[int]:
    """How many images each forward pass of the first member saw."""
    seen: list[int] = []

    def watched(*arguments: object) -> torch.nn.Module:
        model = model_of(*arguments)
        model.members[0].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))  # type: ignore[union-attr,index]
        return model

    monkeypatch.setattr("evaluators.evaluator.Evaluator.ensemble", watched)
    act()
    monkeypatch.undo()
    return seen


def test_neighbours_share_their_clean_pass_and_their_gradient(evaluator, monkeypatch):
    def passes(*specs: AttackSpec | None) -> int:
        return len(passed(Evaluator.ensemble, lambda: values(evaluator, FP, specs, images=50), monkeypatch))

    fgsm = [AttackSpec(name="fgsm", epsilon=epsilon) for epsilon in (0.01, 0.02, 0.03)]
    noise = [replace(spec, name="uniform") for spec in fgsm]
    assert passes(None) == 1
    assert passes(*fgsm) == 2 + 3
    assert passes(*noise) == 1 + 3 * 8
    assert passes(*fgsm, None, *noise) == 5 + 1 + 25
    assert passes(fgsm[0], replace(fgsm[1], threat="discretised")) == 2 * 3
    assert passes(fgsm[0], replace(fgsm[1], step_size=0.01)) == 2 * 3


def test_a_step_of_another_size_is_another_attack(evaluator):
    plain = AttackSpec(name="fgsm", epsilon=0.1)
    short, whole = replace(plain, step_size=0.02), replace(plain, step_size=0.1)
    found = values(evaluator, FP, [plain, whole, short, replace(plain, epsilon=0.02)], images=300)
    assert found[0] == found[1] < found[2] == found[3]


def test_runs_are_averaged_and_their_error_holds_both_spreads(evaluator, mnist5k):
    spec = AttackSpec(name="pgd", epsilon=0.05, steps=1, runs=4)
    [found] = evaluator.judge(FP, [spec], images=300)
    model, stands = evaluator.ensemble(FP), torch.zeros(4, 300)
    split = mnist5k.validation.head(300)
    for run in range(4):
        for batch, (images, labels) in enumerate(evaluation_batches(split, 256)):
            draws = stream(0, "attack", "pgd", str(batch), *([f"run {run}"] if run else []))
            outcome = build(spec)(model, images, labels, ThreatModel(epsilon=0.05), draws)
            stands[run, 256 * batch : 256 * batch + len(labels)] = (~outcome.broken).float()
    assert len(set(stands.sum(1).tolist())) > 1  # runs do differ
    shares = stands.double().mean(0)
    assert found.value == pytest.approx(stands.mean(1).mean().item())
    assert found.stderr == pytest.approx(shares.std(correction=0).item() / math.sqrt(300))
    assert (found.n, found.unit) == (300, "fraction")
    [first] = evaluator.judge(FP, [replace(spec, runs=1)], images=300)
    assert first.value == pytest.approx(stands[0].mean().item())
    assert found.stderr < first.stderr


def test_what_any_run_flags_is_a_flag_of_them_all(evaluator, monkeypatch):
    attack, flags = WorstCase.__call__, iter([("masked:black-box", "suspect:gap"), ("suspect:gap",), ()])
    monkeypatch.setattr(WorstCase, "__call__", lambda *given: replace(attack(*given), flags=next(flags)))
    [found] = evaluator.judge(FP, [AttackSpec(name="worst", epsilon=0.05, steps=1, runs=3)], images=20)
    assert found.flags == ("masked:black-box", "suspect:gap")


@pytest.mark.parametrize("name", ["fgsm", "worst"])
def test_what_was_spent_before_belongs_to_the_first_of_them(name, evaluator, mnist5k):
    spec, split = AttackSpec(name=name, steps=1, epsilon=0.1), mnist5k.validation.head(20)
    judge = Judge(evaluator.protocol, evaluator.budget, mnist5k, evaluator.ensemble)
    found = list(judge.accuracies(evaluator.ensemble(FP), [spec, None], split, time.perf_counter() - 1000))
    assert found[0].seconds > 1000 > found[1].seconds


def test_runs_of_what_draws_nothing_are_one(evaluator, monkeypatch):
    spec = AttackSpec(name="bim", epsilon=0.05, steps=2, runs=5)
    seen = passed(Evaluator.ensemble, lambda: values(evaluator, FP, [spec], images=40), monkeypatch)
    assert len(seen) == 1 + 3
    assert values(evaluator, FP, [spec], images=40) == values(evaluator, FP, [replace(spec, runs=1)], images=40)


def test_each_part_of_the_images_can_be_judged(evaluator, mnist5k):
    model = evaluator.ensemble(FP)
    for part, images in (("validation", 0), ("test", 0), ("test", 70)):
        split = getattr(mnist5k, part).head(images)
        [found] = evaluator.judge(FP, [None], part=part, images=images)
        right = (model(split.images.float() / 255) == split.labels).sum().item()
        assert (found.value, found.n) == (right / len(split), len(split))
    with pytest.raises(UnknownName, match=r"unknown part of the images: got 'tset'; .*did you mean 'test'"):
        next(evaluator.judge(FP, [None], part="tset"))
    with pytest.raises(UserError, match="judged images out of range: got -1"):
        next(evaluator.judge(FP, [None], images=-1))


def test_what_does_not_fit_is_refused_before_any_training(evaluator):
    before = evaluator.pool.trained
    with pytest.raises(UserError, match="maps more layers than fcn2 has"):
        next(evaluator.judge(Candidate.parse("dorefa3-3:mu255@6"), [None]))
    assert evaluator.pool.trained == before


def test_specifications_are_judged_one_after_another_as_they_are_asked_for(evaluator):
    found = evaluator.judge(FP, [None, AttackSpec(name="pgd", epsilon=0.1, steps=100_000)], images=20)
    assert isinstance(next(found), Measurement)
    found.close()
