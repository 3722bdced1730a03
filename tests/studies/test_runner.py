"""The loop with a closed-form evaluator: what is asked, kept, told, and when it stops."""

import resource
import time
from collections import Counter

import pytest
from closed_form import SIXTY, Arithmetic, bops, config, story
from quick_runs import run, states, told

from space.errors import UserError
from space.space import SearchSpace
from studies import Limit, Measured, RunStarted, RunStopped, Study, TrialFinished, TrialStarted
from studies.storage.optuna_storages import JournalTrials


def test_a_run_evaluates_as_many_as_asked_and_tells_what_happens(tmp_path):
    events = []
    study, stopped = run(tmp_path / "new" / "study", on_event=events.append)
    records = study.records()
    assert (stopped.reason, stopped.evaluated, len(records)) == ("trials", 12, 12)
    assert [record.number for record in records] == list(range(12))
    assert tuple(record.candidate for record in records[:4]) == study.design
    names = {"bops", "memory", "acc", "certified", "pgd_naive", "pgd"}
    assert all(record.measurements.keys() == names for record in records)
    assert events[0] == RunStarted(records=0, evaluated=0, trials=12, seconds=None)
    assert events[-1] == RunStopped(stopped=stopped)
    one = [type(event) for event in events[1:9]]
    assert one == [TrialStarted, *[Measured] * 6, TrialFinished]
    finished = [event for event in events if isinstance(event, TrialFinished)]
    assert [event.record for event in finished] == records
    assert list(finished[-1].front) == study.front()
    assert all(event.on_front == (event.record in event.front) for event in finished)


def test_a_run_expects_no_more_candidates_than_there_are(tmp_path):
    events = []
    _, stopped = run(tmp_path, on_event=events.append, trials=100, space=SIXTY)
    assert events[0] == RunStarted(records=0, evaluated=0, trials=60, seconds=None)
    assert (stopped.reason, stopped.evaluated) == ("space exhausted", 60)


def test_the_first_design_mixes_and_the_study_knows_its_bounds_and_versions(tmp_path):
    study, _ = run(tmp_path, trials=9)
    assert {"+" in text for text in study.design} == {True, False}
    low, high = study.bounds.costs["bops"]
    assert all(low <= record.measurements["bops"].value <= high for record in study.records())
    assert {"python", "optuna", "torch"} <= study.versions.keys()


def test_seconds_accumulate_over_runs(tmp_path):
    _, first = run(tmp_path, Arithmetic(pause=0.005), trials=4)
    study, second = run(tmp_path, Arithmetic(pause=0.005), trials=8)
    times = [record.at for record in study.records()]
    assert times == sorted(times)
    assert all(record.seconds >= 0.01 for record in study.records())
    assert 0 < times[3] <= first.seconds
    assert 0 < times[7] - times[3] <= second.seconds


def test_a_run_of_a_finished_study_does_nothing(tmp_path):
    run(tmp_path)
    evaluator, events = Arithmetic(), []
    study, stopped = run(tmp_path, evaluator, on_event=events.append)
    assert (stopped.reason, stopped.evaluated, evaluator.asked) == ("trials", 12, [])
    assert events[0] == RunStarted(records=12, evaluated=12, trials=12, seconds=None)
    assert study.resumed


def test_no_trial_starts_after_the_deadline(tmp_path):
    start = time.monotonic()
    study, stopped = run(tmp_path, Arithmetic(pause=0.1), trials=100, seconds=0.5)
    assert stopped.reason == "seconds"
    starts = [record.at - record.seconds for record in study.records()]
    assert max(starts) <= 0.5
    assert 0.5 <= stopped.seconds <= time.monotonic() - start < 3


def test_a_trial_that_is_told_again_because_the_answer_was_lost_is_told_once(tmp_path, monkeypatch):
    """A server may store a trial's end and go away before it says so; who waits for it then tries again."""
    once = JournalTrials.set_trial_state_values

    def twice(self, trial_id, state, values=None):
        done = once(self, trial_id, state, values)
        return once(self, trial_id, state, values) if state.is_finished() else done

    _, undisturbed = run(tmp_path / "one")
    monkeypatch.setattr(JournalTrials, "set_trial_state_values", twice)
    study, stopped = run(tmp_path / "other")
    assert (stopped.reason, stopped.evaluated) == (undisturbed.reason, undisturbed.evaluated)
    assert [one.state for one in study.records()].count("complete") == stopped.evaluated


def test_a_limit_on_a_cost_vetoes_before_anything_is_spent(tmp_path):
    evaluator = Arithmetic()
    limit = Limit.parse("bops<=2e7")
    study, stopped = run(tmp_path, evaluator, trials=15, limits=(limit,))
    records = study.records()
    vetoed = [record for record in records if record.state == "vetoed"]
    assert (stopped.reason, stopped.evaluated) == ("trials", 15)
    assert states(study)["complete"] == 15
    assert vetoed
    for record in vetoed:
        assert record.measurements.keys() == {"bops", "memory"}
        assert record.reason == f"bops {record.measurements['bops'].value:.4g} breaks bops<=2e+07"
        assert record.candidate not in {text for text, _ in evaluator.asked}
    assert all(record.state == "complete" for record in records[: len(study.design)])
    assert all(bops_of(record) <= 2e7 for record in records if record.state == "complete")
    pruned = [trial for trial in study._trials.get_trials() if trial.state.name == "PRUNED"]
    assert len(pruned) == len(vetoed)
    assert all(trial.constraints[str(limit)] > 0 for trial in pruned)


def bops_of(record):
    return record.measurements["bops"].value


def test_models_learn_to_keep_a_limit(tmp_path):
    def vetoes(sampler):
        study, _ = run(tmp_path / sampler, trials=30, sampler=sampler, limits=(Limit.parse("bops<=1e7"),))
        return states(study)["vetoed"]

    assert vetoes("tpe") < 0.7 * vetoes("random")


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    """The file system takes half of the journal and refuses the rest in the middle of a line."""
    whole, _ = run(tmp_path / "whole")
    size = (tmp_path / "whole" / "journal.log").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
        with pytest.raises(UserError, match=r"output folder: got .*; hint: file too large"):
            run(tmp_path / "s")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert 0 < len(Study.load(tmp_path / "s").records()) < 12
    study, stopped = run(tmp_path / "s")
    assert stopped.reason == "trials"
    assert story(study.records()) == story(whole.records())


def test_a_limit_on_accuracy_ends_the_trial_before_the_attack(tmp_path):
    evaluator = Arithmetic()
    study, stopped = run(tmp_path, evaluator, trials=12, limits=(Limit.parse("acc>=0.7"),))
    vetoed = [record for record in study.records() if record.state == "vetoed"]
    assert vetoed
    for record in vetoed:
        assert record.measurements.keys() == {"bops", "memory", "acc"}
        assert (record.candidate, "pgd") not in evaluator.asked
    assert stopped.evaluated == len(study.records()) == 12  # a training was paid for
    assert all(record.measurements["acc"].value >= 0.7 for record in study.front())


def test_a_limit_on_the_last_measurement_leaves_a_complete_record_off_the_front(tmp_path):
    study, _ = run(tmp_path, limits=(Limit.parse("pgd>=0.5"),))
    low = [record for record in study.records() if record.measurements["pgd"].value < 0.5]
    assert low
    assert all(record.state == "complete" for record in low)
    assert not {record.number for record in low} & {record.number for record in study.front()}


def test_a_limit_on_what_is_no_objective_is_measured_too(tmp_path):
    study, _ = run(tmp_path, trials=4, limits=(Limit.parse("fgsm>=0.01"),))
    assert all("fgsm" in record.measurements for record in study.records())


def test_duplicates_are_answered_from_records_and_do_not_count(tmp_path):
    space = SearchSpace(precisions=("fp", "pact4", "xnor"), input_bits=(1, 8), members=(1,))
    evaluator = Arithmetic()
    study, stopped = run(tmp_path, evaluator, trials=6, space=space)
    records = study.records()
    duplicates = [record for record in records if record.state == "duplicate"]
    assert (stopped.reason, states(study)["complete"]) == ("trials", 6)
    assert duplicates
    assert Counter(evaluator.asked).most_common(1)[0][1] == 1
    for record in duplicates:
        twin = next(one for one in records if one.key == record.key)
        assert record.measurements == twin.measurements
        assert record.reason == f"same as #{twin.number}"
    assert {state.name for state in told(study)} == {"COMPLETE"}


@pytest.mark.parametrize("sampler", ["random", "nsga2"])
def test_a_space_is_searched_to_its_end(tmp_path, sampler):
    study, stopped = run(tmp_path, trials=400, space=SIXTY, sampler=sampler)
    assert (stopped.reason, stopped.detail) == (
        "space exhausted",
        "all 60 candidates of the space were tried",
    )
    assert states(study)["complete"] == 60 == len({record.key for record in study.records()})


def test_a_model_does_not_livelock_on_a_small_space(tmp_path):
    space = SearchSpace(precisions=("fp", "pact2", "pact4", "dorefa4-2", "xnor"), input_bits=(2, 4, 8))
    study, stopped = run(tmp_path, trials=100, space=space, sampler="tpe")
    assert stopped.reason == "space exhausted"
    assert states(study)["complete"] == 15


def test_what_a_limit_leaves_of_a_space_is_searched_to_its_end(tmp_path):
    few = sorted(bops(candidate) for candidate in SIXTY.enumerate())[4]
    study, stopped = run(tmp_path, trials=100, space=SIXTY, limits=(Limit("bops", "<=", few),))
    assert stopped.reason == "space exhausted"
    assert stopped.detail == "no candidate that was not tried fits the network and the limits"
    assert {bops_of(one) for one in study.front()} <= {bops(c) for c in SIXTY.enumerate() if bops(c) <= few}
    assert states(study)["complete"] == sum(bops(c) <= few for c in SIXTY.enumerate())


def test_free_trials_without_end_stop_a_large_space_too(tmp_path, monkeypatch):
    """Nothing but the two cheapest of 34 thousand may be trained; the model gives up, it does not spin."""
    monkeypatch.setattr("studies.desk.EXHAUSTED", 40)
    cheap = min(bops(candidate) for candidate in config().space.enumerate())
    study, stopped = run(tmp_path, trials=50, limits=(Limit("bops", "<=", cheap),))
    assert stopped.reason == "space exhausted"
    assert stopped.detail == "40 proposals in a row brought nothing new"
    assert all(bops_of(record) == cheap for record in study.front())


def test_an_interrupt_keeps_what_is_finished_and_the_trial_goes_on_later(tmp_path):
    whole, _ = run(tmp_path / "whole", trials=6)

    def interrupt(candidate, name):
        if name == "pgd" and str(candidate) == whole.records()[3].candidate:
            raise KeyboardInterrupt

    events = []
    study, stopped = run(tmp_path / "cut", Arithmetic(trouble=interrupt), trials=6, on_event=events.append)
    assert (stopped.reason, stopped.evaluated, len(study.records())) == ("interrupted", 3, 3)
    assert events[-1] == RunStopped(stopped=stopped)
    study, stopped = run(tmp_path / "cut", trials=6)
    assert stopped.reason == "trials"
    assert [record.candidate for record in study.records()] == [one.candidate for one in whole.records()]


def test_an_interrupt_while_setting_up_leaves_nothing(tmp_path):
    def interrupt(candidate, name):
        raise KeyboardInterrupt

    study, stopped = run(tmp_path / "new", Arithmetic(trouble=interrupt))
    assert (stopped.reason, study.records()) == ("interrupted", [])
    assert not (tmp_path / "new").exists()


def test_a_limit_nobody_can_meet_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match=r"limit on bops that nobody can meet: got 'bops<=1'"):
        run(tmp_path / "new", limits=(Limit.parse("bops<=1"),))
    assert not (tmp_path / "new").exists()


def test_the_evaluator_must_be_that_of_the_study(tmp_path):
    other = Arithmetic(protocol=config(seed=0).protocol.__class__(dataset="x", checksum="", network="", epsilon=0))
    with pytest.raises(ValueError, match="another protocol or budget"):
        run(tmp_path, other)


@pytest.mark.parametrize(
    "objectives", [("bops",), ("bops", "memory"), ("pgd",), ("acc", "fgsm", "pgd", "bops", "memory")]
)
def test_any_objectives_make_a_study(tmp_path, objectives):
    study, stopped = run(tmp_path, trials=14, objectives=objectives, sampler="tpe")
    assert stopped.reason == "trials"
    assert all(record.measurements.keys() >= set(objectives) for record in study.records())
    assert study.front()


def test_the_search_beats_chance(tmp_path):
    """The model's hypervolume is above that of random search with as many evaluations."""
    from studies import hypervolume_trace

    def volume(sampler, seed):
        folder = tmp_path / f"{sampler}{seed}"
        study, _ = run(folder, trials=30, sampler=sampler, seed=seed)
        return hypervolume_trace(study.records(), study.config.objectives, study.bounds)[-1][1]

    assert all(volume("tpe", seed) > volume("random", seed) for seed in range(2))
