"""What a sampler is shown of a long study."""

import random

import optuna
import pytest
from closed_form import SIXTY
from optuna.trial import TrialState

from studies.samplers import named
from studies.samplers.named import make_sampler
from studies.samplers.window import Finished, Window


def grown(sampler, trials, told=lambda number: None):
    """A study of this many trials."""
    study, rng = optuna.create_study(directions=["minimize"] * 2, sampler=sampler), random.Random(0)
    for number in range(trials):
        trial = study.ask()
        total = sum(trial.suggest_categorical(f"x{i}", list(range(6))) for i in range(3))
        study.tell(trial, (total + rng.random(), -total))
        told(number)
    return study


def numbers(trials):
    return [one.number for one in trials]


def test_the_front_and_the_latest_are_shown_in_their_order():
    study = grown(optuna.samplers.RandomSampler(seed=0), 10)
    running = study.ask()
    window = Window(study, lambda: {2, 3, 9}, latest=3)
    assert numbers(window._get_trials(states=(TrialState.COMPLETE,))) == [2, 3, 7, 8, 9]
    assert numbers(window._get_trials()) == [2, 3, 7, 8, 9, running.number]
    assert numbers(window._get_trials(states=(TrialState.RUNNING,))) == [running.number]
    assert numbers(Window(study, frozenset, latest=50)._get_trials()) == list(range(11))
    assert window.directions == study.directions


def test_however_many_trials_run_as_many_finished_ones_are_shown():
    study = grown(optuna.samplers.RandomSampler(seed=0), 10)
    running = [study.ask() for _ in range(20)]
    assert numbers(Window(study, frozenset, latest=3)._get_trials()) == [7, 8, 9, *numbers(running)]


def whole(study, older, latest=None, counted=None):
    """In place of a window."""
    return study


@pytest.mark.parametrize("name", ["tpe", "nsga2", "nsga3"])
def test_a_study_that_fits_is_searched_as_without_a_window(name, monkeypatch):
    shown = grown(make_sampler(name, 3, frozenset, SIXTY), 70)
    monkeypatch.setattr(named, "Window", whole)
    assert [one.params for one in shown.trials] == [
        one.params for one in grown(make_sampler(name, 3, frozenset, SIXTY), 70).trials
    ]


def test_what_is_beyond_the_window_makes_no_difference_to_a_model(monkeypatch):
    """Two studies that differ only in old trials beside the front go on alike."""
    monkeypatch.setattr(named, "Window", lambda study, front: Window(study, front, latest=15))

    def continued(value):
        study = optuna.create_study(directions=["minimize"] * 2, sampler=make_sampler("tpe", 3, lambda: {0}, SIXTY))
        for _ in range(20):
            study.add_trial(
                optuna.trial.create_trial(
                    params={"x": value(study)},
                    distributions={"x": optuna.distributions.CategoricalDistribution(range(6))},
                    values=[1.0, 1.0],
                )
            )
        return [study.ask().suggest_categorical("x", range(6)) for _ in range(12)]

    def old(number):
        return 0 < number < 5

    def count(study):
        return len(study.trials)

    one = continued(lambda study: 5 if old(count(study)) else count(study) % 4)
    other = continued(lambda study: 0 if old(count(study)) else count(study) % 4)
    on_front = continued(lambda study: 5 if count(study) == 0 else count(study) % 4)
    assert one == other
    assert one != on_front


@pytest.mark.parametrize("name", ["nsga2", "nsga3"])
def test_generations_go_on_as_if_all_trials_were_shown(name, monkeypatch):
    """A window that is shorter than the study by far, for it shows the parents as well."""
    monkeypatch.setattr(named, "GENERATIONS", 45)
    shown = grown(make_sampler(name, 3, frozenset, SIXTY), 200)
    assert max(one.system_attrs[KEYS[name]] for one in shown.trials) > 5
    monkeypatch.setattr(named, "Window", whole)
    assert [one.params for one in shown.trials] == [
        one.params for one in grown(make_sampler(name, 3, frozenset, SIXTY), 200).trials
    ]


@pytest.mark.parametrize("name", ["nsga2", "nsga3"])
def test_generations_go_on_where_few_trials_are_complete(name, monkeypatch):
    """What is pruned or failed makes none, and may be most of what there is."""
    monkeypatch.setattr(named, "GENERATIONS", 45)

    def sparse():
        study = optuna.create_study(directions=["minimize"] * 2, sampler=make_sampler(name, 3, frozenset, SIXTY))
        for number in range(500):
            trial = study.ask()
            total = sum(trial.suggest_categorical(f"x{i}", list(range(6))) for i in range(3))
            if number % 5:
                study.tell(trial, state=TrialState.PRUNED)
            else:
                study.tell(trial, (total, -total))
        return [(one.params, one.system_attrs[KEYS[name]]) for one in study.trials]

    shown = sparse()
    assert shown[-1][1] > 3
    monkeypatch.setattr(named, "Window", whole)
    assert sparse() == shown


def test_older_trials_are_not_asked_for_while_all_are_shown():
    study = grown(optuna.samplers.RandomSampler(seed=0), 3)
    asked = []
    for latest in (3, 2):
        Window(study, lambda latest=latest: asked.append(latest) or set(), latest)._get_trials()
    assert asked == [2]


KEYS = {"nsga2": "NSGAIISampler:generation", "nsga3": "NSGAIIISampler:generation"}


def test_a_model_that_takes_running_trials_for_others_sees_finished_ones_with_the_same_constraints():
    study = optuna.create_study()
    for names in ({"b": 1.0, "a": -1.0}, {"a": 0.5}, {}):
        trial = study.ask()
        for name, value in names.items():
            trial.set_constraint(name, value)
        study.tell(trial, trial.suggest_int("x", 0, 9))
    study.ask()
    shown = Finished(Window(study, frozenset))._get_trials()
    assert [list(one.constraints.items()) for one in shown] == [
        [("a", -1.0), ("b", 1.0)],
        [("a", 0.5), ("b", 0.0)],
        [("a", 0.0), ("b", 0.0)],
    ]
    assert [(one.params, one.values) for one in shown] == [(one.params, one.values) for one in study.trials[:3]]
