"""Which sampler a study has: chosen by a table, written down with its reason, and kept."""

import json

import pytest
from closed_form import LARGE, SIXTY, Arithmetic, Foresighted, config

from space.errors import UserError
from studies import AUTO, Stop, Study, write_outputs
from studies.header import FORMAT, Header
from studies.limits import Limit
from studies.samplers.choice import ENUMERABLE, RULES, Choice, Task, choose
from studies.storage.place import HEADER

MANY = LARGE.size


def run(folder, trials=3, **changes):
    study = Study.open(folder, config(**changes))
    study.run(Arithmetic(), Stop(trials=trials))
    return study


@pytest.mark.parametrize(
    ("task", "chosen"),
    [
        (Task(60, 3, 60), "exhaustive"),
        (Task(60, 6, 4000), "exhaustive"),
        (Task(60, 6, 4000, modelled=True), "exhaustive"),
        (Task(60, 3, 59), "tpe"),
        (Task(MANY, 4, 100), "tpe"),
        (Task(MANY, 3, 101), "tpe"),
        (Task(MANY, 6, 1000), "tpe"),
        (Task(MANY, 6, 1000, modelled=True), "random"),
        (Task(60, 1, 1, modelled=True), "random"),
        (Task(MANY, 6, 1000, modelled=True, limited=True), "tpe"),  # chance would not learn the limits
        (Task(MANY, 6, 1000, limited=True), "tpe"),
        (Task(MANY, 3, 1001), "nsga2"),
        (Task(MANY, 3, 1001, modelled=True), "nsga2"),
        (Task(MANY, 4, 1001), "nsga3"),
        (Task(MANY, 2, 10**6), "nsga2"),  # more trials than candidates, but too many to list
    ],
)
def test_auto_goes_by_the_space_the_objectives_and_the_trials(task, chosen):
    choice = choose(AUTO, task)
    assert (choice.asked, choice.chosen) == (AUTO, chosen)
    assert choice.reason.endswith(next(rule.why for rule in RULES if rule.sampler == chosen and rule.fits(task)))


def test_the_reason_counts_what_it_was_chosen_for():
    assert choose(AUTO, Task(MANY, 1, 1)).reason.startswith(f"{MANY:,} candidates, 1 objective, 1 trial: ")
    assert choose(AUTO, Task(60, 3, 1000)).reason.startswith("60 candidates, 3 objectives, 1,000 trials: ")


@pytest.mark.parametrize(
    ("changes", "evaluator", "chosen"),
    [
        ({}, Arithmetic, "tpe"),  # foresees nothing
        ({}, Foresighted, "random"),
        ({"proposals": "pool"}, Foresighted, "tpe"),
        ({"proposals": "off"}, Foresighted, "tpe"),
        ({"limits": (Limit.parse("bops<=1e9"),)}, Foresighted, "tpe"),
    ],
)
def test_chance_stands_beside_a_model_that_no_limits_bind(tmp_path, changes, evaluator, chosen):
    study = Study.open(tmp_path, config(sampler=AUTO, **changes))
    study.run(evaluator(), Stop(trials=1))
    assert study.choice.chosen == chosen


def test_the_table_ends_with_a_rule_that_always_fits():
    assert MANY > ENUMERABLE
    assert {rule.sampler for rule in RULES} == {"exhaustive", "random", "tpe", "nsga2", "nsga3"}
    assert RULES[-1].fits(Task(10**9, 99, 10**9))


def test_a_name_is_taken_as_it_is():
    assert choose("random", Task(60, 3, 999)) == Choice("random", "random", "asked for by name")


def test_the_choice_is_kept_whatever_is_asked_for_later(tmp_path):
    study = run(tmp_path, sampler=AUTO, trials=4, space=SIXTY)
    assert study.choice == choose(AUTO, Task(60, 3, 4))
    assert study.choice.chosen == "tpe"
    again = run(tmp_path, sampler=AUTO, trials=5, space=SIXTY)
    Study.open(tmp_path, config(sampler=AUTO, space=SIXTY)).run(Arithmetic(), Stop(trials=60, seconds=0.001))
    assert again.choice == study.choice == Study.load(tmp_path).choice
    write_outputs(again)
    written = json.loads((tmp_path / "study.json").read_text())
    assert written["sampler"] == {
        "asked": "auto",
        "chosen": "tpe",
        "reason": "60 candidates, 3 objectives, 4 trials: a density model pays for up to 1000 trials",
    }
    assert written["config"]["sampler"] == "auto"


def test_the_chosen_one_may_be_named(tmp_path):
    run(tmp_path, sampler=AUTO, space=SIXTY)
    assert len(run(tmp_path, sampler="tpe", space=SIXTY, trials=4).records()) == 4
    with pytest.raises(UserError, match="holds a study with another sampler: got 'random'; expected auto"):
        run(tmp_path, sampler="random", space=SIXTY)


def test_a_sampler_that_was_named_is_not_meant_by_auto(tmp_path):
    run(tmp_path, sampler="random")
    with pytest.raises(UserError, match="holds a study with another sampler: got 'auto'; expected random; hint: "):
        run(tmp_path, sampler=AUTO)


def older(folder, sampler, version):
    """Make the study in a folder one of an earlier version, which wrote only a name."""
    trials = Study.load(folder)._trials
    header = dict(trials.user_attrs[HEADER])
    del header["sampler"]
    config = {**header["config"], "sampler": sampler}
    trials.set_user_attr(HEADER, header | {"config": config, "format": version})


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("asked", [AUTO, "tpe"])
def test_an_older_study_of_the_default_goes_on_as_it_was(tmp_path, version, asked):
    """It had `tpe` whether or not that was asked for; nobody who now asks for nothing may be refused."""
    for name in ("whole", "s"):
        run(tmp_path / name, sampler="tpe", trials=14)
    older(tmp_path / "s", "tpe", version)
    study = run(tmp_path / "s", sampler=asked, trials=17)
    assert (study.choice.asked, study.choice.chosen) == ("", "tpe")
    assert [one.candidate for one in study.records()] == [
        one.candidate for one in run(tmp_path / "whole", sampler="tpe", trials=17).records()
    ]


def test_an_older_study_of_another_sampler_was_asked_for_it(tmp_path):
    run(tmp_path, sampler="random")
    older(tmp_path, "random", 3)
    assert len(run(tmp_path, sampler="random", trials=4).records()) == 4
    with pytest.raises(UserError, match="another sampler: got 'auto'; expected random"):
        run(tmp_path, sampler=AUTO)


def test_a_header_reads_back(tmp_path):
    study = run(tmp_path, sampler=AUTO)
    header = Header.from_json(study._trials.user_attrs[HEADER])
    assert Header.from_json(json.loads(json.dumps(header.to_json()))) == header
    assert header.format == FORMAT == 4


def test_all_of_a_space_is_left_to_no_model(tmp_path):
    study = run(tmp_path, sampler=AUTO, space=SIXTY, trials=60)
    assert study.choice.chosen == "exhaustive"
    assert len({record.key for record in study.records()}) == 60
