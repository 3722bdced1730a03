"""What fails in a trial is a record with its reason; what fails again and again ends the run, and nothing is lost."""

from collections import Counter

import pytest
from closed_form import Arithmetic, config, measurement
from quick_runs import run, states, told

from space.errors import UserError
from space.space import SearchSpace
from studies import Stop, Study


class OutOfMemoryError(RuntimeError):
    pass


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            OutOfMemoryError("CUDA out of memory.\nTried to allocate 2.00 GiB"),
            "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        ),
        (MemoryError(), "MemoryError"),
        (FloatingPointError("loss is nan"), "FloatingPointError: loss is nan"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (
            UserError("mapped layers", got=3, expected="1 to 2"),
            "UserError: mapped layers: got 3; expected 1 to 2",
        ),
        (ValueError("a\x1b[2J\udcff"), "ValueError: a?[2J?"),
        (KeyError("x" * 999), "KeyError: '" + "x" * 298 + "…"),
    ],
)
@pytest.mark.parametrize("stage", ["acc", "pgd"])
def test_a_failure_is_a_record_with_its_reason(tmp_path, error, reason, stage):
    def fail(candidate, name):
        if name == stage and candidate.input_bits == 8:
            raise error

    evaluator = Arithmetic(trouble=fail)
    study, stopped = run(tmp_path, evaluator, trials=10)
    failed = [record for record in study.records() if record.state == "failed"]
    assert stopped.evaluated == 10 == len(study.records())
    assert failed
    assert {record.reason for record in failed} == {reason}
    assert all(("acc" in record.measurements) == (stage == "pgd") for record in failed)
    assert [state.name for state in told(study)].count("FAIL") == len(failed)
    assert all(record.state == "complete" for record in study.front())


def test_three_failures_alike_stop_the_run_but_not_the_study(tmp_path):
    def fail(candidate, name):
        if name == "acc":
            raise OutOfMemoryError(f"tried to allocate {len(str(candidate))} MiB")

    study, stopped = run(tmp_path, Arithmetic(trouble=fail))
    assert (stopped.reason, stopped.evaluated) == ("failures", 3)
    assert stopped.detail == study.records()[-1].reason
    assert stopped.detail.startswith("OutOfMemoryError: tried to allocate")
    study, stopped = run(tmp_path)
    assert (stopped.reason, states(study)) == ("trials", {"failed": 3, "complete": 9})


def test_failures_of_different_kinds_do_not_stop_a_run(tmp_path):
    kinds = [MemoryError, OSError, RuntimeError]
    count = Counter()

    def fail(candidate, name):
        if name == "acc":
            count["failures"] += 1
            raise kinds[count["failures"] % 3]("no")

    study, stopped = run(tmp_path, Arithmetic(trouble=fail), trials=8)
    assert (stopped.reason, states(study)) == ("trials", {"failed": 8})


def test_a_candidate_that_failed_gets_a_second_chance_and_no_third(tmp_path):
    space = SearchSpace(precisions=("fp", "pact4"), input_bits=(1, 8))
    kinds = iter([MemoryError, OSError, RuntimeError, ValueError] * 20)

    def fail(candidate, name):
        if name == "acc" and str(candidate) == "fp":
            raise next(kinds)("no")

    evaluator = Arithmetic(trouble=fail)
    study = Study.open(tmp_path, config(space=space, sampler="random", seed=1))
    for trials in (5, 50):
        study.run(evaluator, Stop(trials=trials))
    attempts = Counter(text for text, name in evaluator.asked if name == "acc")
    assert attempts["fp"] <= 2
    assert max(attempts.values()) <= 2


def test_what_the_evaluator_refuses_to_cost_is_a_failure_too(tmp_path):
    def refuse(candidate, name):
        if name == "cost" and candidate.input_bits == 4:
            raise UserError("input bits", got=4, expected="anything else")

    study, _ = run(tmp_path, Arithmetic(trouble=refuse), trials=16)
    failed = [record for record in study.records() if record.state == "failed"]
    assert failed
    assert {(record.reason, len(record.measurements)) for record in failed} == {
        ("UserError: input bits: got 4; expected anything else", 0)
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measurement_that_is_no_number_is_a_failure(tmp_path, value):
    class Broken(Arithmetic):
        def measure(self, candidate, names):
            yield "acc", measurement("acc", value)

    study, _ = run(tmp_path, Broken())
    assert study.records()[0].reason == f"FloatingPointError: acc is {value}"


def test_an_evaluator_that_forgets_an_objective_is_a_failure(tmp_path):
    class Forgetful(Arithmetic):
        def measure(self, candidate, names):
            yield from (pair for pair in super().measure(candidate, names) if pair[0] != "pgd")

    study, stopped = run(tmp_path, Forgetful())
    assert (stopped.reason, stopped.detail) == ("failures", "ValueError: the evaluator gave no pgd")
    assert states(study) == {"failed": 3}
