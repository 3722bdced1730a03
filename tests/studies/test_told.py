"""What samplers are told: the scale of costs, the sign of constraints, and never a failure for a duplicate."""

import pytest
from closed_form import measurement
from optuna.trial import TrialState

from studies.limits import Limit
from studies.records import Record
from studies.terms import USUAL, Terms
from studies.told import constraints, told

OBJECTIVES = ("acc", "bops")
TERMS = Terms((Limit.parse("acc>=0.5"), Limit.parse("bops<=4e6"), Limit.parse("fgsm>=0.1")))


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
    assert told(one, OBJECTIVES) == (state, values)


def test_constraints_are_above_zero_where_broken():
    values = constraints(record("complete", acc=0.4, bops=2e6), OBJECTIVES, TERMS)
    assert values == {"acc>=0.5": pytest.approx(0.1), "bops<=4e+06": pytest.approx(-1.0)}


def test_a_limit_met_or_broken_by_a_hair_is_told_so():
    met = constraints(record("complete", acc=0.5, bops=4e6), OBJECTIVES, TERMS)
    assert set(met.values()) == {0.0}
    broken = constraints(record("vetoed", bops=4e6 * (1 + 1e-15)), OBJECTIVES, TERMS)
    assert broken["bops<=4e+06"] > 0


def test_whatever_is_pruned_has_a_reason_for_the_sampler():
    assert constraints(record("duplicate"), OBJECTIVES, USUAL) == {"fails": 1.0}
    assert constraints(record("failed"), OBJECTIVES, USUAL) == {}
