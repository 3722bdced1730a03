"""What is masked: off the front, told to the sampler, named wherever it is chosen, and shown when it is asked for."""

import csv
import json
import re
from collections import Counter

import pytest
from closed_form import Arithmetic, config, measurement
from hypothesis import given
from hypothesis import strategies as st
from journals import unchecked

from evaluators.base import Measurement
from space.errors import UserError
from studies import Limit, Stop, Study, StudyConfig, Terms, front, hypervolume_trace, select, write_outputs
from studies.config import check_same
from studies.fronts.bounds import Bounds
from studies.outputs import front_csv
from studies.records import Record
from studies.samplers.told import MASKED, constraints

OBJECTIVES = ("acc", "pgd", "bops")
OPEN = Terms(allow_masked=True)


def record(number, *flags, pgd=0.5, naive=0.6, acc=0.9, cost=1e6, **changes):
    """A complete record; without a plain PGD if `naive` is None."""
    measured = {"acc": measurement("acc", acc), "bops": measurement("bops", cost)}
    measured |= {} if naive is None else {"pgd_naive": measurement("pgd_naive", naive, n=400)}
    measured |= {} if pgd is None else {"pgd": measurement("pgd", pgd, n=400, flags=flags)}
    fields = {"number": number, "candidate": f"pact{number + 2}", "key": str(number), "state": "complete"}
    return Record(**{**fields, "measurements": measured, **changes})


def coarse_is_masked(candidate):
    """Coarse input is what the closed form takes for most robust: believed, it would own the front."""
    return ("suspect:gap", "masked:black-box") if candidate.input_bits <= 2 else ()


def run(folder, trials=40, sampler="random", flags=coarse_is_masked, **changes):
    study = Study.open(folder, config(sampler=sampler, **changes))
    study.run(Arithmetic(flags=flags), Stop(trials=trials))
    return study


@pytest.mark.parametrize(
    ("one", "verdict", "rules"),
    [
        (record(0), "ok", ()),
        (record(0, "suspect:gap"), "suspect", ("gap",)),
        (record(0, "suspect:gap", "masked:black-box"), "masked", ("black-box", "gap")),
        (record(0, "masked:steps", "invalid:nan"), "invalid", ("nan", "steps")),
        (record(0, pgd=None), "unchecked", ()),
        (record(0, naive=None), "unchecked", ()),
    ],
    ids=["ok", "suspect", "masked", "invalid", "not attacked", "plain PGD of an earlier version"],
)
def test_a_record_has_the_worst_verdict_of_its_flags(one, verdict, rules):
    assert (one.verdict, one.rules) == (verdict, rules)
    again = Record.from_json(json.loads(json.dumps(one.to_json())))
    assert (again.verdict, again.rules, again.gap) == (verdict, rules, one.gap)


def test_the_gap_is_the_plain_number_less_the_worst_case():
    assert record(0, pgd=0.25, naive=0.75).gap == 0.5
    assert record(0, naive=None).gap is None
    assert record(0, pgd=None).gap is None


@pytest.mark.parametrize(
    ("flags", "usual", "opened"),
    [
        ((), [0], [0]),
        (("suspect:gap",), [0], [0]),
        (("masked:black-box",), [1], [0]),
        (("invalid:nan",), [1], [1]),
    ],
)
def test_a_masked_record_that_dominates_all_others_is_on_no_front_unless_it_is_allowed(flags, usual, opened):
    records = [record(0, *flags, pgd=0.9), record(1)]
    assert [one.number for one in front(records, OBJECTIVES)] == usual
    assert [one.number for one in front(records, OBJECTIVES, OPEN)] == opened
    assert select(records, OBJECTIVES).chosen.number == usual[0]
    assert select(records, OBJECTIVES, OPEN).chosen.number == opened[0]


def test_a_mask_gains_no_hypervolume():
    bounds = Bounds({"bops": (1e6, 16e6)})
    honest, masked = record(0, at=1.0), record(1, "masked:steps", pgd=0.9, at=2.0)
    alone = hypervolume_trace([honest], OBJECTIVES, bounds)
    assert hypervolume_trace([honest, masked], OBJECTIVES, bounds) == alone
    assert hypervolume_trace([honest, masked], OBJECTIVES, bounds, OPEN)[-1][1] > alone[-1][1]


flagged = st.lists(st.sampled_from(["suspect:gap", "masked:steps", "invalid:nan"]), max_size=2)


@given(st.lists(st.tuples(flagged, st.sampled_from([0.2, 0.5, 0.9]), st.sampled_from([1e6, 2e6])), max_size=8))
def test_a_front_is_that_of_what_its_terms_admit(rows):
    records = [record(i, *flags, pgd=pgd, cost=cost) for i, (flags, pgd, cost) in enumerate(rows)]
    for terms, refused in ((Terms(), {"masked", "invalid"}), (OPEN, {"invalid"})):
        left = [one for one in records if one.verdict not in refused]
        plain = [record(one.number, pgd=_pgd(one), cost=one.measurements["bops"].value) for one in left]
        assert [one.number for one in front(records, OBJECTIVES, terms)] == [
            one.number for one in front(plain, OBJECTIVES)
        ]


def _pgd(one):
    return one.measurements["pgd"].value


@pytest.mark.parametrize(
    ("one", "usual"),
    [
        (record(0), {MASKED: 0.0}),
        (record(0, "suspect:gap"), {MASKED: 0.0}),
        (record(0, "masked:black-box"), {MASKED: 1.0}),
        (record(0, pgd=None), {}),
        (record(0, naive=None), {}),
    ],
)
def test_a_mask_is_a_broken_constraint_and_what_was_not_judged_is_none(one, usual):
    assert constraints(one, config(objectives=("acc", "bops"))) == usual
    assert constraints(one, config(objectives=("acc", "bops"), allow_masked=True)) == {}


def test_a_study_keeps_what_is_masked_in_its_records_and_off_its_front(tmp_path):
    usual = run(tmp_path / "usual")
    opened = run(tmp_path / "opened", allow_masked=True)
    assert [one.measurements["pgd"] for one in usual.records()] == [one.measurements["pgd"] for one in opened.records()]
    masked = {one.number for one in usual.records() if one.verdict == "masked"}
    assert 5 < len(masked) < 35
    assert usual.front()
    assert not masked & {one.number for one in usual.front()}
    assert masked & {one.number for one in opened.front()}
    best = select(opened.records(), OBJECTIVES, opened.config.terms).chosen
    assert best.number in masked
    volumes = [
        hypervolume_trace(study.records(), OBJECTIVES, study.bounds, study.config.terms)[-1][1]
        for study in (usual, opened)
    ]
    assert 0 < volumes[0] < volumes[1]


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
@pytest.mark.parametrize("limits", [(), (Limit.parse("bops<=6e7"), Limit.parse("acc>=0.6"))], ids=["free", "limited"])
def test_samplers_are_told_of_masks_beside_limits(tmp_path, sampler, limits):
    study = run(tmp_path, trials=45, sampler=sampler, limits=limits)
    assert Counter(one.state for one in study.records())["complete"] >= 30
    judged = 0
    for one, trial in zip(study.records(), study._trials.get_trials(), strict=True):
        assert trial.constraints.get(MASKED) == {"masked": 1.0, "ok": 0.0, "unchecked": None}[one.verdict]
        judged += one.verdict != "unchecked"
    assert judged >= 30


def test_an_open_study_has_no_such_constraint(tmp_path):
    study = run(tmp_path, trials=6, allow_masked=True)
    assert [trial.constraints for trial in study._trials.get_trials()] == [{}] * 6


def test_a_model_learns_to_keep_away_from_masks(tmp_path):
    def masked(name, **changes):
        study = run(tmp_path / name, trials=60, sampler="tpe", **changes)
        return sum(one.verdict == "masked" for one in study.records())

    assert masked("usual") < 0.7 * masked("opened", allow_masked=True)


def test_what_is_invalid_is_a_failed_trial_with_its_rules(tmp_path):
    def broken(candidate):
        return ("suspect:gap", "invalid:random-logits") if candidate.input_bits == 8 else ()

    study = run(tmp_path, trials=20, flags=broken)
    failed = [one for one in study.records() if one.state == "failed"]
    assert failed
    assert {one.reason for one in failed} == {"ValueError: pgd is invalid: random-logits, gap"}
    assert all("pgd" not in one.measurements and one.verdict == "unchecked" for one in failed)
    assert {one.candidate.startswith("in") for one in failed} == {False}
    assert all(one.verdict == "ok" for one in study.front())


def test_another_allow_masked_is_another_study(tmp_path):
    run(tmp_path, trials=3)
    with pytest.raises(UserError, match=r"holds a study with another allow_masked: got 'True'; expected False"):
        run(tmp_path, trials=5, allow_masked=True)
    check_same(config(allow_masked=True), config(allow_masked=True), "runs/a")
    again = StudyConfig.from_json(json.loads(json.dumps(config(allow_masked=True).to_json())))
    assert again.terms == Terms(allow_masked=True)


def test_bounds_of_the_worst_case_are_kept_though_nobody_asked_for_them(tmp_path):
    study = run(tmp_path, trials=3, objectives=("pgd", "bops"))
    for one in study.records():
        assert {"certified", "pgd_naive", "pgd"} <= one.measurements.keys()
        assert one.gap > 0
    plain = run(tmp_path / "plain", trials=3, objectives=("acc", "pgd_naive"))
    assert all(one.verdict == "unchecked" and "pgd" not in one.measurements for one in plain.records())
    assert plain.front()


def test_the_files_name_verdict_rules_and_interval(tmp_path):
    study = run(tmp_path, trials=40, allow_masked=True)
    selection = write_outputs(study)
    chosen = json.loads((tmp_path / "selected.json").read_text())
    assert (chosen["verdict"], chosen["rules"], chosen["allow_masked"]) == ("masked", ["black-box", "gap"], True)
    number = selection.chosen.number
    warning = f"pgd of #{number} is masked (black-box, gap): it is still an over-estimate"
    assert chosen["warning"] == selection.warning
    assert selection.warning.startswith(warning)
    members = {one["number"]: one for one in json.loads((tmp_path / "front.json").read_text())["front"]}
    with (tmp_path / "front.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["verdict"] for row in rows} == {"ok", "masked"}
    for row in rows:
        one = members[int(row["number"])]
        assert (row["verdict"], row["rules"].split()) == (one["verdict"], one["rules"])
        pgd = Measurement.from_json(one["measurements"]["pgd"])
        assert (float(row["pgd_low"]), float(row["pgd_high"])) == pgd.interval


def test_an_objective_that_is_a_bound_itself_has_its_columns_once():
    header, row = front_csv([record(0)], ("pgd_naive", "pgd"), {}).splitlines()
    names = (
        "number,candidate,origin,runs,pgd_naive,pgd_naive_se,pgd_naive_low,pgd_naive_high,pgd,pgd_se,pgd_low,pgd_high"
    )
    assert header == f"{names},gap,verdict,rules,front_probability"
    assert row.endswith(",ok,,")


@pytest.mark.parametrize(
    ("flags", "warning"),
    [
        ((), ""),
        (("suspect:gap",), "pgd of #0 is suspect (gap): something hides gradients, or an attack had not settled"),
        (("masked:steps",), "pgd of #0 is masked (steps): it is still an over-estimate"),
    ],
)
def test_a_choice_warns_of_what_is_doubtful_about_it(flags, warning):
    assert select([record(0, *flags)], OBJECTIVES, OPEN).warning == warning


def test_nothing_but_masks_leaves_nothing_to_select():
    records = [record(i, "masked:steps") for i in range(3)]
    with pytest.raises(UserError) as caught:
        select(records, OBJECTIVES)
    assert str(caught.value) == (
        "nothing to select from: got '3 complete records, all masked'; "
        "hint: a new study with --allow-masked admits them"
    )


def test_the_closest_to_the_limits_is_never_a_masked_one():
    records = [record(0, "masked:steps", acc=0.95), record(1, acc=0.7)]
    with pytest.raises(UserError, match=r"closest is #1 pact3: acc 0.7 misses acc>=0.9"):
        select(records, OBJECTIVES, Terms((Limit.parse("acc>=0.9"),)))


def as_of_an_earlier_version(folder):
    """Rewrite a study's journal as format 1 had it: no bounds of the worst case, no intervals, nothing allowed."""
    text = unchecked(folder / "journal.log")
    text = re.sub(r'"(certified|pgd_naive)":\{[^}]*\},', "", text)
    text = re.sub(r',"interval":\[[^]]*\]', "", text)
    text = text.replace('"format":4', '"format":1').replace(',"allow_masked":false', "")
    assert not re.search("interval|certified|pgd_naive|allow_masked", text)
    (folder / "journal.log").write_text(text)


def test_a_study_of_an_earlier_version_is_read_as_unchecked_and_not_resumed(tmp_path):
    fresh = run(tmp_path, trials=12, flags=lambda candidate: ()).front()
    as_of_an_earlier_version(tmp_path)
    study = Study.load(tmp_path)
    assert [one.number for one in study.front()] == [one.number for one in fresh]
    assert {one.verdict for one in study.records()} == {"unchecked"}
    selection = write_outputs(study)
    assert selection.warning == ""
    assert json.loads((tmp_path / "selected.json").read_text())["verdict"] == "unchecked"
    with pytest.raises(UserError, match=r"earlier version, whose pgd was the plain PGD; hint: choose another --out"):
        run(tmp_path, trials=13)


def test_a_study_of_an_earlier_version_without_pgd_goes_on(tmp_path):
    run(tmp_path, trials=4, objectives=("acc", "bops"))
    as_of_an_earlier_version(tmp_path)
    assert len(run(tmp_path, trials=6, objectives=("acc", "bops")).records()) == 6
