"""Confirming: who is measured again, what is kept, who stands and why others fell; by arithmetic."""

import json
from dataclasses import replace

import numpy as np
import pytest
from closed_form import Arithmetic, config

from evaluators.base import Budget
from evaluators.identity import Identity
from space.errors import UserError
from studies import (
    Bench,
    Confirmation,
    Limit,
    Offer,
    SeedResult,
    Stop,
    Study,
    full_epochs,
    lock_of,
    make_plan,
    read_confirmation,
    read_lock,
    write_confirmation,
    write_outputs,
)
from studies.confirmation.plan import fresh_seeds, near_front
from studies.records import front

EFFORT = {"images": 100, "steps": 5, "twins": ["standard"]}
BUDGET = Budget(epochs=40)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study.open(tmp_path_factory.mktemp("confirmed") / "mine", config(sampler="random"))
    study.run(Arithmetic(), Stop(trials=40))
    return study


class Again:
    """Measures as the search did, moved by `shift`; counts what it was asked."""

    def __init__(self, shift=lambda candidate, seed: 0.0, trouble=lambda candidate, seed: ""):
        self.shift, self.trouble, self.asked = shift, trouble, []

    def __call__(self, candidate, seed):
        self.asked.append((str(candidate), seed))
        if failure := self.trouble(candidate, seed):
            return SeedResult(seed=seed, measurements={}, failure=failure)
        evaluator, moved = Arithmetic(), self.shift(candidate, seed)
        found = evaluator.cost(candidate) | dict(evaluator.measure(candidate, ("acc", "pgd")))
        for name in ("acc", "pgd"):
            found[name] = replace(found[name], value=found[name].value + moved)
        return SeedResult(seed=seed, measurements=found, members=(Identity("abcdef01", "f" * 64),), seconds=1.0)


def confirmed(study, folder, measure, *, seeds=2, near=0.16, budget=BUDGET):
    plan = make_plan(study, budget, EFFORT, near=near, seeds=seeds)
    bench = Bench(folder, plan)
    for record, seed in plan.pairs:
        bench.obtain(record, seed, measure)
    return bench.confirmation(study, {"torch": "1"})


def test_seeds_are_fresh_and_always_the_same():
    assert fresh_seeds(0, 3) == fresh_seeds(0, 5)[:3]
    assert fresh_seeds(0, 2) == (1468369489, 1215234812), "others would train every confirmed network again"
    seeds = {one for seed in range(50) for one in fresh_seeds(seed, 4)}
    assert len(seeds) == 200
    assert not seeds & set(range(50))
    assert all(0 <= one < 2**31 for one in seeds)


def test_the_full_budget_is_that_of_a_paper_or_ten_times_the_search():
    assert full_epochs("resnet20", 4) == 200
    assert full_epochs("resnet20", 300) == 300
    assert full_epochs("fcn2", 3) == 30


def test_near_the_front_is_who_may_be_on_it(study):
    members, sure = {one.number for one in study.front()}, study.front_probability()
    assert {one.number for one in near_front(study, 1.0)} == members | {n for n, p in sure.items() if p == 1.0}
    near = {one.number for one in near_front(study, 0.05)}
    assert near == members | {number for number, share in sure.items() if share >= 0.05}
    assert near > members
    assert {one.number for one in near_front(study, 0.0)} == sure.keys()


def test_the_same_measurements_confirm_the_same_front(study, tmp_path):
    """The second route: what is measured as the search did stands as it did."""
    found = confirmed(study, tmp_path, Again())
    assert {row.number for row in found.front} == {one.number for one in study.front()}
    for row in found.rows:
        record = next(one for one in study.records() if one.number == row.number)
        assert row.proxy == record.measurements
        assert {name: one.value for name, one in row.measurements.items()} == pytest.approx(
            {name: one.value for name, one in record.measurements.items()}
        )
        assert row.on_front == row.stands
        assert not row.fell
    assert found.complete


def test_the_mean_and_its_error_cover_images_and_seeds(study, tmp_path):
    shifts = dict(zip(fresh_seeds(0, 3), (-0.1, 0.0, 0.04), strict=True))
    found = confirmed(study, tmp_path, Again(shift=lambda _, seed: shifts[seed]), seeds=3)
    for row in found.rows:
        values = [one.measurements["pgd"].value for one in row.seeds]
        assert row.measurements["pgd"].value == pytest.approx(np.mean(values))
        error = np.sqrt(0.01**2 + np.var(values, ddof=1) / 3)
        assert row.measurements["pgd"].stderr == pytest.approx(error)
        low, high = row.measurements["pgd"].interval
        assert low < row.measurements["pgd"].value < high


def test_who_falls_is_told_why(study, tmp_path):
    """One is made worse than another that costs less, one diverges by its second seed, one is masked."""
    members = study.front()
    worse, broken, masked = members[0], members[1], members[2]

    def shift(candidate, seed):
        return -0.45 if str(candidate) == worse.candidate else 0.0

    def trouble(candidate, seed):
        fails = str(candidate) == broken.candidate and seed == fresh_seeds(0, 2)[1]
        return "the training diverged (NaN)" if fails else ""

    again = Again(shift, trouble)

    def measure(candidate, seed):
        result = again(candidate, seed)
        if str(candidate) == masked.candidate:
            pgd = replace(result.measurements["pgd"], flags=("masked:black-box",))
            return replace(result, measurements={**result.measurements, "pgd": pgd})
        return result

    found = confirmed(study, tmp_path, measure)
    rows = {row.number: row for row in found.rows}
    assert rows[broken.number].reason == f"by seed {fresh_seeds(0, 2)[1]}: the training diverged (NaN)"
    assert rows[masked.number].reason == "masked: black-box"
    assert [rows[one.number].front_probability for one in (broken, masked)] == [None, None]
    assert all(rows[one.number].fell for one in (worse, broken, masked))
    rivals = [int(part.strip(" ,#")) for part in rows[worse.number].reason.removeprefix("beaten by").split(",")]
    mine = rows[worse.number].measurements
    for number in rivals:
        other = rows[number].measurements
        assert other["acc"].value >= mine["acc"].value
        assert other["pgd"].value >= mine["pgd"].value
        assert other["bops"].value <= mine["bops"].value
    assert rows[worse.number].front_probability < 0.5


def test_what_a_failed_training_had_measured_is_in_no_mean(study, tmp_path):
    again, first = Again(), fresh_seeds(0, 2)[0]

    def measure(candidate, seed):
        result = again(candidate, seed)
        acc = replace(result.measurements["acc"], value=0.1)
        return replace(result, measurements={"acc": acc}, failure="out of memory") if seed == first else result

    found = confirmed(study, tmp_path, measure)
    assert found.rows and not found.front
    for row in found.rows:
        assert row.measurements == row.seeds[1].measurements
        assert row.reason == f"by seed {first}: out of memory"


def test_a_limit_is_for_the_confirmed_mean(tmp_path):
    limit = Limit.parse("acc>=0.6")
    study = Study.open(tmp_path / "limited", config(sampler="random", limits=(limit,)))
    study.run(Arithmetic(), Stop(trials=15))
    found = confirmed(study, tmp_path, Again(shift=lambda *_: -0.2))
    broken = [row for row in found.rows if row.proxy["acc"].value < 0.8]
    assert broken
    for row in broken:
        assert row.reason == f"acc {row.measurements['acc'].value:.4g} breaks acc>=0.6"


def test_nothing_finished_is_measured_again(study, tmp_path):
    plan, again = make_plan(study, BUDGET, EFFORT, near=1.0, seeds=2), Again()
    bench = Bench(tmp_path, plan)
    pairs = [*plan.pairs]
    assert [seed for _, seed in pairs] == sorted((seed for _, seed in pairs), key=plan.seeds.index)
    for record, seed in pairs[:3]:
        bench.obtain(record, seed, again)
    part = bench.confirmation(study, {})
    assert not part.complete
    assert [len(row.seeds) for row in part.rows].count(0) == max(0, len(plan.records) - 3)
    assert all(row.reason == "not measured yet" for row in part.rows if not row.seeds)
    for record, seed in pairs:
        Bench(tmp_path, plan).obtain(record, seed, again)
    assert len(again.asked) == len(pairs)
    assert bench.confirmation(study, {}).complete


def test_another_budget_or_effort_or_code_is_another_result(study, tmp_path):
    plans = [
        make_plan(study, BUDGET, EFFORT, near=1.0, seeds=2),
        make_plan(study, replace(BUDGET, epochs=41), EFFORT, near=1.0, seeds=2),
        make_plan(study, BUDGET, EFFORT | {"steps": 6}, near=1.0, seeds=2),
        make_plan(study, BUDGET, EFFORT, near=1.0, seeds=2, code="new"),
    ]
    addresses = {plan.address(*pair) for plan in plans for pair in plan.pairs}
    assert len(addresses) == 4 * len([*plans[0].pairs])


def test_a_damaged_result_is_measured_again(study, tmp_path):
    plan, again = make_plan(study, BUDGET, EFFORT, near=1.0, seeds=1), Again()
    record, seed = next(plan.pairs)
    bench = Bench(tmp_path, plan)
    before = bench.obtain(record, seed, again)
    [file] = (tmp_path / "confirmation").iterdir()
    file.write_text(file.read_text()[:50])
    assert bench.obtain(record, seed, again) == before
    assert len(again.asked) == 2


def test_the_file_is_read_back_as_it_was_written(study, tmp_path):
    found = confirmed(study, tmp_path, Again())
    assert read_confirmation(tmp_path) is None
    write_confirmation(tmp_path, found)
    assert read_confirmation(tmp_path) == found
    assert Confirmation.from_json(json.loads(json.dumps(found.to_json()))) == found
    kept = [one for row in found.rows for one in row.seeds]
    assert kept and all((one.members, one.seconds) == ((Identity("abcdef01", "f" * 64),), 1.0) for one in kept)


def test_a_file_of_another_format_is_not_read(study, tmp_path):
    data = confirmed(study, tmp_path, Again()).to_json()
    (tmp_path / "confirmed.json").write_text(json.dumps(data))
    assert read_confirmation(tmp_path) is not None
    (tmp_path / "confirmed.json").write_text(json.dumps(data | {"format": data["format"] + 1}))
    with pytest.raises(UserError, match=r"^damaged file: got .*; hint: confirm writes it anew$"):
        read_confirmation(tmp_path)


def test_where_a_row_is_now_in_a_word(study, tmp_path):
    row = next(row for row in confirmed(study, tmp_path, Again()).rows if row.on_front)
    beaten, beside = replace(row, reason="beaten by #1"), replace(row, on_front=False)
    states = (row, beside, beaten, replace(beside, reason="beaten by #1"), replace(beaten, seeds=()))
    assert [one.now for one in states] == ["front", "front", "fell", "off", "–"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}', '{"format": 9}', "null"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "confirmed.json").write_text(content)
    with pytest.raises(UserError, match=r"^damaged file: got .*; hint: confirm writes it anew$"):
        read_confirmation(tmp_path)


@pytest.mark.parametrize("at", ["network", "objective", "proxy", "value"])
def test_a_row_that_stands_on_nothing_is_refused_in_one_line(study, tmp_path, at):
    data = confirmed(study, tmp_path, Again()).to_json()
    row = next(row for row in data["rows"] if row["stands"])
    if at == "network":
        row["seeds"] = []
    elif at == "objective":
        del row["measurements"]["acc"]
    elif at == "proxy":
        del row["proxy"]["bops"]
    else:
        row["measurements"]["acc"]["stderr"] = []
    (tmp_path / "confirmed.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"^damaged file: got .*; hint: confirm writes it anew$"):
        read_confirmation(tmp_path)


def test_a_study_without_a_front_has_nothing_to_confirm(tmp_path):
    study = Study.open(tmp_path / "failed", config(sampler="random"))

    def fail(candidate, name):
        if name != "cost":
            raise ValueError("never")

    study.run(Arithmetic(trouble=fail), Stop(trials=3))
    with pytest.raises(UserError, match="no front to confirm"):
        make_plan(study, BUDGET, EFFORT, near=0.5, seeds=1)


@pytest.mark.parametrize(("near", "seeds"), [(1.5, 1), (0.5, 0), (-0.1, 1)])
def test_what_is_out_of_range_is_refused(study, near, seeds):
    with pytest.raises(UserError, match="out of range"):
        make_plan(study, BUDGET, EFFORT, near=near, seeds=seeds)


@pytest.fixture
def chosen_from(tmp_path):
    """A study of its own, with a confirmed front on which all are worse by seed."""
    study = Study.open(tmp_path / "own", config(sampler="random"))
    study.run(Arithmetic(), Stop(trials=20))
    first = fresh_seeds(0, 2)[0]
    found = confirmed(study, study.folder, Again(shift=lambda _, seed: -0.1 if seed == first else -0.02))
    write_confirmation(study.folder, found)
    return study, found


def test_select_prefers_confirmed_rows(chosen_from):
    study, found = chosen_from
    assert Offer.of(study, confirmed=False).confirmation is None
    offer = Offer.of(study)
    assert offer.confirmation == found
    selection = offer.select(study.config.objectives, study.config.terms)
    best = max(found.front, key=lambda row: row.measurements["pgd"].value)
    assert selection.chosen.number == best.number
    assert selection.chosen.measurements == best.measurements
    assert offer.sure == {row.number: row.front_probability for row in found.rows}
    assert selection.sure == best.front_probability is not None
    members = {one.number for one in front(offer.records, study.config.objectives, study.config.terms)}
    assert members == {row.number for row in found.front}


def test_a_confirmed_lock_is_of_the_first_fresh_seed(chosen_from):
    study, found = chosen_from
    write_outputs(study)
    lock, first = read_lock(study.folder), fresh_seeds(0, 2)[0]
    row = next(row for row in found.rows if row.number == lock.number)
    assert (lock.confirmed, lock.part, lock.budget.epochs) == (True, "test", 40)
    assert (lock.protocol.seed, lock.split_seed) == (first, 0)
    assert replace(lock.protocol, seed=0) == study.config.protocol
    assert lock.measurements == row.seeds[0].measurements
    assert lock.measurements["pgd"].value < row.measurements["pgd"].value == lock.chosen.measurements["pgd"].value
    assert lock.members == row.seeds[0].members
    assert dict(lock.verification) == EFFORT
    assert lock.chosen.front_probability == row.front_probability
    assert lock == lock_of(study, Offer.of(study).select(study.config.objectives, study.config.terms))


def test_an_unfinished_confirmation_is_warned_of(chosen_from):
    study, found = chosen_from
    short = replace(found, rows=tuple(replace(row, seeds=row.seeds[:1]) for row in found.rows))
    write_confirmation(study.folder, short)
    selection = Offer.of(study).select(study.config.objectives, study.config.terms)
    assert selection.warning.split("; ")[0] == "the confirmation is not finished"


def test_what_came_to_the_front_after_the_confirmation_is_warned_of(chosen_from):
    study, found = chosen_from
    newer = next(row for row in found.rows if row.on_front)
    write_confirmation(study.folder, replace(found, rows=tuple(row for row in found.rows if row != newer)))
    selection = Offer.of(study).select(study.config.objectives, study.config.terms)
    assert f"#{newer.number} came to the front since it was confirmed" in selection.warning.split("; ")
    write_confirmation(study.folder, found)
    assert "since" not in Offer.of(study).select(study.config.objectives, study.config.terms).warning


def test_a_confirmation_of_which_nothing_stands_is_no_offer(chosen_from):
    study, found = chosen_from
    write_confirmation(study.folder, replace(found, rows=tuple(replace(row, reason="x") for row in found.rows)))
    offer = Offer.of(study)
    assert offer.confirmation is None
    objectives, terms = study.config.objectives, study.config.terms
    assert f"none of {len(found.rows)} confirmed candidates stands" in offer.select(objectives, terms).warning
    assert "stands" not in Offer.of(study, confirmed=False).select(objectives, terms).warning


def test_a_confirmation_that_was_interrupted_before_its_first_result_says_nothing(chosen_from):
    study, found = chosen_from
    begun = tuple(replace(row, seeds=(), measurements={}, reason="not measured yet") for row in found.rows)
    write_confirmation(study.folder, replace(found, rows=begun))
    assert Offer.of(study).fallen == 0
