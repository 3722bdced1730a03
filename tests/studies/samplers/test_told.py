"""What samplers are told: the scale of costs, the sign of constraints, and never a failure for a duplicate."""

from dataclasses import replace

import pytest
from closed_form import config, measurement
from optuna.trial import TrialState

from evaluators.objectives import BOUND
from studies.limits import Limit
from studies.records import Record
from studies.samplers.told import constraints, told

LIMITS = (Limit.parse("acc>=0.5"), Limit.parse("bops<=4e6"), Limit.parse("fgsm>=0.1"))


def asked(sampler="tpe", limits=LIMITS, objectives=("acc", "bops")):
    return config(objectives=objectives, limits=limits, sampler=sampler)


def record(state, **values):
    measured = {name: measurement(name, value) for name, value in values.items()}
    return Record(number=0, candidate="fp", key="k", state=state, reason="why", measurements=measured)


@pytest.mark.parametrize(
    ("one", "state", "values"),
    [
        (record("complete", acc=0.9, bops=8.0), TrialState.COMPLETE, [0.9, 3.0]),
        (record("duplicate", acc=0.9, bops=8.0), TrialState.COMPLETE, [0.9, 3.0]),
        (record("duplicate", bops=8.0), TrialState.PRUNED, None),
        (record("duplicate"), TrialState.PRUNED, None),
        (record("vetoed", bops=8.0), TrialState.PRUNED, None),
        (record("failed", acc=0.9, bops=8.0), TrialState.FAIL, None),
    ],
)
def test_states_and_values(one, state, values):
    assert told(one, asked()) == (state, values)


def test_constraints_are_above_zero_where_broken():
    values = constraints(record("complete", acc=0.4, bops=2e6), asked())
    assert values == {"acc>=0.5": pytest.approx(0.1), "bops<=4e+06": pytest.approx(-1.0)}


def test_a_limit_met_or_broken_by_a_hair_is_told_so():
    met = constraints(record("complete", acc=0.5, bops=4e6), asked())
    assert set(met.values()) == {0.0}
    broken = constraints(record("vetoed", bops=4e6 * (1 + 1e-15)), asked())
    assert broken["bops<=4e+06"] > 0


def test_whatever_is_pruned_has_a_reason_for_the_sampler():
    assert constraints(record("duplicate"), asked(limits=())) == {"fails": 1.0}
    assert constraints(record("failed"), asked(limits=())) == {}


@pytest.mark.parametrize(
    ("sampler", "state", "values"),
    [
        ("auto", TrialState.COMPLETE, [0.9, 0.9, 3.0]),
        ("tpe", TrialState.COMPLETE, [0.9, 0.9, 3.0]),
        ("random", TrialState.COMPLETE, [0.9, 0.9, 3.0]),
        ("gp", TrialState.COMPLETE, [0.9, 0.9, 3.0]),
        ("nsga2", TrialState.COMPLETE, [0.9, 0.9, 3.0]),
        ("nsga3", TrialState.COMPLETE, [0.9, 0.9, 3.0]),
    ],
)
def test_what_was_stopped_is_told_so_that_the_sampler_learns_from_it(sampler, state, values):
    """The best it could still have been, behind the front; some would not see what is pruned."""
    one, terms = record("stopped", acc=0.9, bops=8.0), asked(sampler, (), ("acc", "pgd", "bops"))
    assert told(one, terms) == (state, values)
    assert constraints(one, terms) == {}


def test_what_ended_at_a_rung_is_pruned():
    one, terms = record("stopped", bops=8.0), asked("gp", (), ("acc", "pgd", "bops"))
    one = replace(one, measurements={**one.measurements, "acc@1": measurement("acc", 0.4)})
    assert told(one, terms) == (TrialState.PRUNED, None)
    assert constraints(one, terms) == {"fails": 1.0}


def test_what_stood_when_it_was_stopped_is_nearer_than_the_clean_accuracy():
    one = record("stopped", acc=0.9, bops=8.0)
    one = replace(one, measurements={**one.measurements, BOUND: measurement("pgd", 0.4)})
    assert told(one, asked("gp", (), ("acc", "pgd", "bops"))) == (TrialState.COMPLETE, [0.9, 0.4, 3.0])
