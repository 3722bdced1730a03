"""Samplers: any order of interruptions, the same draws."""

import random

import optuna
import pytest
from closed_form import SIXTY
from optuna.trial import Trial

from studies.samplers.choice import AUTO, SAMPLERS
from studies.samplers.named import MAKERS, WHOLE, make_sampler


def suggestions(trial):
    """Conditional, as candidates are; yields after each parameter, where a process may be killed."""
    yield trial.suggest_categorical("kind", ["one", "two"])
    if trial.params["kind"] == "one":
        yield trial.suggest_categorical("bits", [1, 2, 4, 8])
    else:
        yield trial.suggest_categorical("left", [1, 2, 3])
        yield trial.suggest_categorical("right", [1, 2, 3])
    yield trial.suggest_categorical("width", [0.5, 1.0, 2.0])


def values(params):
    total = sum(value for value in params.values() if not isinstance(value, str))
    return [total % 5, -(total % 7)]


def search(name, trials, cut):
    """Parameters of all trials, where `cut` says after how many suggestions a trial is left and resumed."""
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(study_name="s", storage=storage, directions=["minimize", "minimize"])
    found = []
    for number in range(trials):
        study = optuna.load_study(study_name="s", storage=storage, sampler=make_sampler(name, 7, frozenset, SIXTY))
        trial = study.ask()
        for _ in zip(range(cut(number)), suggestions(trial), strict=False):
            pass
        again = optuna.load_study(study_name="s", storage=storage, sampler=make_sampler(name, 7, frozenset, SIXTY))
        trial = Trial(again, trial._trial_id)
        list(suggestions(trial))
        again.tell(trial, values(trial.params))
        found.append(trial.params)
    return found


@pytest.mark.parametrize("name", MAKERS)
def test_a_trial_goes_on_as_it_would_have(name):
    rng = random.Random(0)
    whole = search(name, 45, lambda number: 9)
    assert whole == search(name, 45, lambda number: 0)
    assert whole == search(name, 45, lambda number: rng.randint(0, 4))


def test_samplers_differ():
    found = [search(name, 45, lambda number: 9) for name in MAKERS]
    assert all(one != other for i, one in enumerate(found) for other in found[:i])


def test_models_learn():
    """Both find the best corner of a separable problem far more often than chance does."""

    def hits(name):
        study = optuna.create_study(directions=["minimize"], sampler=make_sampler(name, 1, frozenset, SIXTY))
        for _ in range(100):
            trial = study.ask()
            study.tell(trial, sum(trial.suggest_categorical(f"x{i}", list(range(6))) for i in range(3)))
        return sum(trial.value <= 2 for trial in study.trials)

    assert hits("tpe") > 4 * hits("random")
    assert hits("nsga2") > 2 * hits("random")


@pytest.mark.parametrize("name", ["nsga2", "nsga3"])
def test_the_first_design_belongs_to_the_first_generation(name):
    study = optuna.create_study(directions=["minimize"] * 2, sampler=make_sampler(name, 0, frozenset, SIXTY))
    study.enqueue_trial({"kind": "one", "bits": 2, "width": 1.0})
    trial = study.ask()
    list(suggestions(trial))
    study.tell(trial, [1.0, 2.0])
    assert [v for k, v in study.trials[0].system_attrs.items() if "generation" in k] == [0]


def test_names_are_those_of_the_choice():
    assert {*MAKERS, *WHOLE, AUTO} == {*SAMPLERS}
