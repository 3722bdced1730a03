"""More seeds where it is unsure: who is measured again, what comes of it, and that nothing is lost."""

import json
import math
import time
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from closed_form import SIXTY, Arithmetic, Foresighted, config, measurement
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from evaluators.seeds import number
from space.errors import UserError
from studies import Stop, Study, TrialFinished, front, select, write_outputs
from studies.averages import average, averages
from studies.fronts.expected import expected_gains
from studies.fronts.probability import front_probability
from studies.limits import Limit
from studies.proposals import proposer
from studies.proposals.proposer import Proposer
from studies.records import Record, complete_records, values_of
from studies.repeats import UNSURE, next_repeat
from studies.selection.offer import Offer
from studies.terms import Terms
from studies.watch import Watch

SETTING = {"space": SIXTY, "sampler": "random", "proposals": "off"}


@dataclass
class Seeded(Arithmetic):
    """Accuracies that are off by as much as seeds make them, the same for the same run."""

    run: int = 1

    def repeated(self, run):
        assert run >= 2
        return replace(self, run=run)

    def measure(self, candidate, names):
        for name, one in super().measure(candidate, names):
            luck = number(self.run, name, str(candidate)) / 2**63 - 0.5
            value = one.value + 0.04 * luck if one.unit == "fraction" else one.value
            yield name, replace(one, value=value, stderr=0.02 if one.unit == "fraction" else 0.0)


class Killed(BaseException):
    """What ends a process at any moment."""


def study_of(folder, trials=16, repeats=3, evaluator=None, on_event=lambda event: None, **changes):
    study = Study.open(folder, config(**(SETTING | changes)))
    return study, study.run(evaluator or Seeded(), Stop(trials=trials, repeats=repeats), on_event)


def known(study):
    """What follows from the seeds alone, of every record."""
    return [(one.number, one.candidate, one.state, one.origin, dict(one.measurements)) for one in study.records()]


def test_what_is_unsure_is_measured_again_until_it_is_sure_or_often_enough(tmp_path):
    study, stopped = study_of(tmp_path)
    records, sure = study.records(), study.front_probability()
    runs = Counter(one.key for one in records)
    again = [one for one in records if one.repeats]
    assert (stopped.reason, stopped.evaluated, len(records) - len(again)) == ("trials", 16, 16)
    assert again
    assert max(runs.values()) == 3
    for one in complete_records(records):
        assert one.runs == runs[one.key]
        assert one.runs == 3 or not UNSURE[0] < sure.get(one.number, 0.0) < UNSURE[1]
    assert any(one.runs < 3 for one in complete_records(records))


def test_the_most_uncertain_one_is_first(tmp_path):
    study, _ = study_of(tmp_path)
    records, setting = study.records(), study.config
    for count, one in enumerate(records):
        if not one.repeats:
            continue
        sure = front_probability(records[:count], setting.objectives, setting.terms, setting.seed)
        tried = Counter(other.key for other in records[:count])
        unsure = [
            (abs(sure[other.number] - 0.5), other.number)
            for other in complete_records(records[:count])
            if UNSURE[0] < sure.get(other.number, 0.0) < UNSURE[1] and tried[other.key] < 3
        ]
        first = records[min(unsure)[1]]
        assert (one.key, one.reason) == (first.key, f"run {tried[first.key] + 1} of #{first.number}")


def test_a_record_of_the_front_has_the_mean_of_its_runs(tmp_path):
    study, _ = study_of(tmp_path)
    several = [one for one in study.front() if one.runs > 1]
    assert several
    for one in several:
        own = [other.measurements for other in study.records() if other.key == one.key]
        values = [measured["pgd"].value for measured in own]
        assert len({*values}) == len(own) == one.runs
        assert one.measurements["pgd"].value == pytest.approx(np.mean(values))
        error = math.sqrt(0.02**2 + np.var(values, ddof=1) / len(own))
        assert one.measurements["pgd"].stderr == pytest.approx(error)
        assert one.measurements["bops"] == own[0]["bops"]
    assert select(study.records(), study.config.objectives).chosen in study.front()
    assert front(study.records(), study.config.objectives) == study.front()


def test_files_have_the_mean_and_every_run(tmp_path):
    study, _ = study_of(tmp_path)
    write_outputs(study)
    members = json.loads((tmp_path / "front.json").read_text())["front"]
    trials = (tmp_path / "trials.csv").read_text().splitlines()
    assert {one["number"]: one["runs"] for one in members} == {one.number: one.runs for one in study.front()}
    assert sum(",repeat,complete," in row for row in trials) == sum(one.repeats for one in study.records())
    assert json.loads((tmp_path / "study.json").read_text())["evaluated"] == 16
    assert any(row.endswith("run 2 of #" + row.rpartition("#")[2]) for row in trials)


def test_nothing_is_measured_again_unless_it_is_asked_for(tmp_path):
    study, _ = study_of(tmp_path, repeats=1, evaluator=Arithmetic())
    assert not any(one.repeats for one in study.records())
    with pytest.raises(ValueError, match="no other seeds"):
        study.run(Arithmetic(), Stop(trials=16, repeats=2))
    with pytest.raises(UserError, match="repeats out of range: got 0"):
        Stop(trials=1, repeats=0)


def test_it_can_be_asked_for_later_and_for_more(tmp_path):
    study_of(tmp_path / "later", repeats=1)
    study_of(tmp_path / "later", repeats=2)
    later, _ = study_of(tmp_path / "later", repeats=3)
    assert max(Counter(one.key for one in later.records()).values()) == 3
    done = known(later)
    again, stopped = study_of(tmp_path / "later", repeats=3)
    assert known(again) == done
    assert (stopped.reason, stopped.evaluated) == ("trials", 16)


@pytest.mark.parametrize("when", [17, 18, 20])
def test_a_killed_run_goes_on_where_it_was(tmp_path, when):
    """Killed within a repetition: it leaves no half of one, and the next run makes it again."""
    whole, _ = study_of(tmp_path / "whole")

    def kill(event):
        if getattr(event, "number", 0) == when and getattr(event, "name", "") == "acc":
            raise Killed

    with pytest.raises(Killed):
        study_of(tmp_path / "killed", on_event=kill)
    half = Study.load(tmp_path / "killed")
    assert [one.number for one in half.records()] == list(range(when))
    killed, _ = study_of(tmp_path / "killed")
    assert known(killed) == known(whole)


def test_the_search_goes_on_after_repetitions(tmp_path):
    """They count for no trial, and stand in nobody's way."""
    study_of(tmp_path, trials=24, repeats=1)
    study_of(tmp_path, trials=24, repeats=2)
    study, stopped = study_of(tmp_path, trials=40, repeats=2)
    records = study.records()
    assert stopped.evaluated == 40 == sum(not one.repeats and one.state == "complete" for one in records)
    first = next(one.number for one in records if one.repeats)
    assert any(one.number > first and one.origin == "sampler" for one in records)
    assert all(number == one.number for number, one in enumerate(records))


def test_what_is_proposed_after_repetitions_is_to_enlarge_the_front_of_the_means(tmp_path, monkeypatch):
    study, _ = study_of(tmp_path, trials=24, repeats=2)
    records, objectives = study.records(), study.config.objectives
    fronts = []

    def watched(front, mean, deviation):
        fronts.append(front)
        return expected_gains(front, mean, deviation)

    monkeypatch.setattr(proposer, "expected_gains", watched)
    whole, parts = (Proposer(config(space=SIXTY), study.bounds, Foresighted()) for _ in range(2))
    chosen = whole.propose(records)
    assert [parts.propose(records[:end]) for end in range(1, len(records) + 1)][-1] == chosen

    def losses(members):
        return study.bounds.normalise(values_of(members, objectives), objectives)

    assert any(one.repeats for one in records)
    assert np.array_equal(fronts[0], losses(study.front()))
    assert np.array_equal(fronts[-1], fronts[0])
    assert not np.array_equal(fronts[0], losses(front([one for one in records if not one.repeats], objectives)))


def test_what_is_stopped_beside_repetitions_is_beaten_by_the_front_as_it_is_then(tmp_path):
    """A worker goes on while another process measures again, and then searches on as well."""
    study_of(tmp_path, trials=12, repeats=1, full=False)
    worker = Study.load(tmp_path)
    with worker._desk(Seeded(), Stop(trials=40), lambda event: None, Watch(time.monotonic)) as desk:
        study_of(tmp_path, trials=12, repeats=2, full=False)
        study, _ = study_of(tmp_path, trials=40, repeats=1, full=False)
        desk.catch_up()
        last = next(one.number for one in reversed(study.records()) if one.repeats)
        assert any(one.runs > 1 for one in study.front())
        assert any(one.number > last for one in study.front())
        for one in study.front():
            worse = {"bops": 1 + 1e-9, "acc": 1 - 1e-9, "pgd": 1 - 1e-9}
            known = {
                name: replace(one.measurements[name], value=by * one.measurements[name].value)
                for name, by in worse.items()
            }
            assert desk.gate.lost(known) == f"at its best still behind #{one.number}"


def test_a_repetition_that_fails_is_one_all_the_same(tmp_path):
    @dataclass
    class Failing(Seeded):
        def measure(self, candidate, names):
            if self.run > 1:
                raise MemoryError("no room")
            yield from super().measure(candidate, names)

    study, _ = study_of(tmp_path, evaluator=Failing())
    again = [one for one in study.records() if one.repeats]
    assert again
    assert all(one.state == "failed" and one.reason.endswith("MemoryError: no room") for one in again)
    assert max(Counter(one.key for one in again).values()) == 2
    assert all(one.runs == 1 for one in study.front())


def test_a_choice_of_which_a_training_failed_is_warned_of():
    """Its mean is of those that went well; a network that diverges by one seed in two is not what it says."""
    measured = {"acc": measurement("acc", 0.9, stderr=0.02, n=400), "bops": measurement("bops", 1e6)}
    only = Record(number=3, candidate="fp", key="k", state="complete", measurements=measured)
    again = replace(only, number=4, origin="repeat")
    failed = replace(again, number=5, state="failed", measurements={})
    other = replace(failed, number=6, key="another")
    told = [
        Offer(records=records, sure={}).select(("acc", "bops"), Terms()).warning
        for records in ([only, again, other], [only, again, failed], [only, failed, replace(failed, number=7)])
    ]
    assert told == [
        "",
        "1 training of #3 by other seeds failed, and its values leave that out",
        "2 trainings of #3 by other seeds failed, and its values leave that out",
    ]


def test_a_limit_is_for_the_mean():
    def run(number, acc, origin):
        measured = {"acc": measurement("acc", acc, stderr=0.02, n=400), "bops": measurement("bops", 1e6)}
        return Record(number=number, candidate="fp", key="k", state="complete", measurements=measured, origin=origin)

    objectives, limit = ("acc", "bops"), config(limits=(Limit.parse("acc>=0.9"),)).terms
    assert front([run(0, 0.91, "sampler")], objectives, limit)
    assert not front([run(0, 0.91, "sampler"), run(1, 0.87, "repeat")], objectives, limit)
    assert front([run(0, 0.91, "sampler"), run(1, 0.895, "repeat")], objectives, limit)


def test_what_comes_closest_to_the_limits_does_so_by_the_mean():
    def run(number, acc, origin="sampler", key="k"):
        measured = {"acc": measurement("acc", acc, stderr=0.02, n=400), "bops": measurement("bops", 1e6)}
        return Record(number=number, candidate="fp", key=key, state="complete", measurements=measured, origin=origin)

    runs = [run(0, 0.91), run(1, 0.85, "repeat"), run(2, 0.87, key="other"), run(3, 0.92, "repeat", "other")]
    limits = config(limits=(Limit.parse("acc>=0.9"),)).terms
    with pytest.raises(UserError) as refused:
        select(runs, ("acc", "bops"), limits)
    assert refused.value.hint == "closest is #2 fp: acc 0.895 misses acc>=0.9 by 0.005"


def test_a_run_tells_of_its_repetitions(tmp_path):
    events = []
    study, _ = study_of(tmp_path, on_event=events.append)
    told = [event for event in events if isinstance(event, TrialFinished) and event.record.repeats]
    assert [event.record for event in told] == [one for one in study.records() if one.repeats]
    assert list(told[-1].front) == study.front()
    for event in told:
        assert event.evaluated == 16
        assert event.on_front == any(one.key == event.record.key for one in event.front)


def test_all_is_sure_where_nothing_has_an_error():
    exact = [
        Record(number=i, candidate="fp", key=str(i), state="complete", measurements=values)
        for i, values in enumerate(
            {"acc": measurement("acc", acc), "pgd": measurement("pgd", acc), "bops": measurement("bops", 1e6)}
            for acc in (0.5, 0.6)
        )
    ]
    assert next_repeat(exact, config(), 5) is None
    assert next_repeat([], config(), 5) is None


def test_the_error_of_a_mean_holds_both_images_and_seeds():
    """Images are drawn once and answered by every run, seeds are each run's own: the error is that of the mean over
    both, or more."""
    generator = np.random.default_rng(2)
    n, runs, replicates = 200, 3, 3000
    hard = generator.beta(4, 1, (replicates, 1, n))
    seeds = generator.normal(0, 0.05, (replicates, runs, 1))
    hits = (generator.random((replicates, runs, n)) < np.clip(hard + seeds, 0, 1)).sum(axis=2)
    pooled = [average([Measurement.fraction(int(one), n) for one in row]) for row in hits]
    truth = np.std([one.value for one in pooled])
    said = math.sqrt(np.mean([one.stderr**2 for one in pooled]))
    assert truth <= said <= 1.5 * truth
    alone = np.sqrt(np.mean([Measurement.fraction(int(row[0]), n).stderr ** 2 for row in hits]))
    assert alone < truth  # one run knows nothing of seeds


@pytest.mark.parametrize("hits", [0, 100])
def test_what_no_run_doubts_is_flagged_by_every_run_and_took_the_time_of_all(hits):
    runs = [
        replace(Measurement.fraction(hits, 100, seconds=seconds), flags=flags)
        for seconds, flags in ((2.0, ()), (3.0, ("masked:black-box",)), (4.0, ("suspect:gap", "masked:black-box")))
    ]
    expected = replace(runs[0], seconds=9.0, flags=("masked:black-box", "suspect:gap"))
    assert average(runs) == expected


def test_what_some_run_lacks_is_as_the_first_has_it():
    acc, pgd = (Measurement.fraction(hits, 100) for hits in (90, 40))
    better, worse = (Measurement.fraction(hits, 100) for hits in (96, 84))
    found = averages([{"acc": acc, "pgd": pgd}, {"acc": better, "pgd": pgd, "cw": pgd}, {"acc": worse}])
    assert found == {"acc": average([acc, better, worse]), "pgd": pgd}
    assert found["acc"].stderr > acc.stderr


@pytest.mark.parametrize("cost", [149164.16e3, 0.1, 1 / 3])
def test_what_is_exact_is_the_same_in_the_average(cost):
    runs = [Measurement(value=cost, unit="bit-ops") for _ in range(7)]
    assert average(runs) == runs[0]


@pytest.mark.parametrize("hits", [(945, 950, 955), (940, 945, 950, 955, 960), (949, 951, 950, 950), (950, 950, 950)])
def test_a_mean_right_at_a_limit_meets_it(hits):
    """(0.945 + 0.95 + 0.955) / 3 is a little less than 0.95, for a computer."""
    mean = average([Measurement.fraction(one, 1000) for one in hits])
    assert mean.value == 0.95
    assert not any(Limit.parse(f"acc{op}0.95").broken_by({"acc": mean}) for op in ("<=", ">="))


@given(st.lists(st.integers(0, 100), min_size=1, max_size=6))
def test_an_average_is_within_its_runs_and_never_surer_than_their_images(hits):
    runs = [replace(Measurement.fraction(one, 100, seconds=2.0), flags=(f"suspect:{one}",)) for one in hits]
    found = average(runs)
    assert min(hits) / 100 - 1e-9 <= found.value <= max(hits) / 100 + 1e-9
    assert found.stderr >= math.sqrt(np.mean([one.stderr**2 for one in runs])) - 1e-12
    assert {*found.flags} == {flag for one in runs for flag in one.flags}
    low, high = found.interval
    assert 0 <= low <= found.value <= high <= 1
    plain = Measurement(value=found.value, unit="fraction", n=100).interval
    assert low <= plain[0] + 1e-9
    assert high >= plain[1] - 1e-9


@pytest.mark.parametrize("runs", [2, 3, 5])
@pytest.mark.parametrize(("mean", "between", "images"), [(0.9, 0.02, 10_000), (0.5, 0.03, 4000), (0.1, 0.01, 10_000)])
def test_intervals_of_few_trainings_hold_the_truth(mean, between, images, runs):
    """In nearly 95 of 100 cases; with normal quantiles, two trainings do so in three of four, three in five of six."""
    rng = np.random.default_rng(runs)
    intervals = []
    for shares in rng.normal(mean, between, (400, runs)).clip(0.001, 0.999):
        hits = rng.binomial(images, shares)
        intervals.append(average([Measurement.fraction(int(one), images) for one in hits]).interval)
    assert np.mean([low <= mean <= high for low, high in intervals]) >= (0.85 if runs == 2 else 0.9)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=6))
def test_few_trainings_have_few_degrees_of_freedom(hits):
    """Welch's formula, where images are known exactly and trainings only from each other."""
    runs = [Measurement.fraction(one, 1000) for one in hits]
    found, shares = average(runs), np.array(hits) / 1000
    images, between = np.mean([one.stderr**2 for one in runs]), np.var(shares, ddof=1) / len(hits)
    if found.freedom is None:
        assert between <= images / 30
        return
    assert found.freedom == pytest.approx((images + between) ** 2 / (between**2 / (len(hits) - 1)))
    assert found.freedom >= len(hits) - 1
    plain = replace(found, freedom=None).interval
    assert found.interval[0] <= plain[0] <= found.value <= plain[1] <= found.interval[1]


def test_trainings_that_agree_are_as_sure_as_their_images():
    agreed = average([Measurement.fraction(95, 100)] * 3)
    assert agreed.freedom is None
    assert agreed.interval == Measurement.fraction(95, 100).interval
    assert "freedom" not in agreed.to_json()


def test_degrees_of_freedom_survive_json():
    mean = average([Measurement.fraction(one, 100) for one in (90, 70)])
    assert mean.freedom == pytest.approx(1.3, abs=0.1)
    assert Measurement.from_json(json.loads(json.dumps(mean.to_json()))) == mean
    for wrong in (0.5, -1, "2", True, float("nan"), float("inf")):
        with pytest.raises((TypeError, ValueError)):
            Measurement.from_json(mean.to_json() | {"freedom": wrong})
