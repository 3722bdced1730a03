"""The identity of a study: validated, round-tripped, and compared field by field."""

import json
from dataclasses import replace

import pytest
from closed_form import BUDGET, PROTOCOL, SIXTY, config
from hypothesis import given
from hypothesis import strategies as st

from evaluators.objectives import OBJECTIVES
from space.errors import UserError
from space.space import SearchSpace
from studies.config import PROPOSALS, Stop, StudyConfig, check_same
from studies.limits import Limit
from studies.samplers.choice import SAMPLERS

configs = st.builds(
    config,
    objectives=st.lists(st.sampled_from([*OBJECTIVES]), min_size=1, max_size=6, unique=True).map(tuple),
    space=st.sampled_from([SIXTY, SearchSpace.preset("mnist")]),
    protocol=st.builds(replace, st.just(PROTOCOL), epsilon=st.floats(0, 1), seed=st.integers(0, 2**31 - 1)),
    budget=st.builds(replace, st.just(BUDGET), epochs=st.integers(1, 100)),
    sampler=st.sampled_from([name for name in SAMPLERS if name != "exhaustive"]),
    seed=st.integers(0, 2**31 - 1),
    limits=st.lists(st.floats(1, 1e9).map(lambda value: Limit("bops", "<=", value)), max_size=3).map(tuple),
    allow_masked=st.booleans(),
    proposals=st.sampled_from(PROPOSALS),
)
configs = st.builds(
    lambda one, rungs: replace(one, rungs=tuple(sorted(rung for rung in rungs if rung < one.budget.epochs))),
    configs,
    st.sets(st.integers(1, 99)),
)


@given(configs)
def test_json_round_trip(one):
    assert StudyConfig.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_study_that_knew_no_proposals_has_none():
    older = config().to_json()
    del older["proposals"]
    assert StudyConfig.from_json(older) == config(proposals="off")


def test_a_study_that_knew_no_rungs_has_none():
    older = config().to_json()
    del older["rungs"]
    assert StudyConfig.from_json(older) == config(rungs=())


@pytest.mark.parametrize("rungs", [(0,), (4,), (2, 1), (1, 1), (1.0,), (True,), (1, 2, 5)])
def test_rungs_ascend_and_come_before_the_last_epoch(rungs):
    config(rungs=(1, 2, 3))
    with pytest.raises(UserError, match=r"rungs: got .*; expected ascending epochs from 1 to 3; hint: a member is"):
        config(rungs=rungs)


def test_a_single_epoch_has_no_rungs():
    single = replace(BUDGET, epochs=1)
    config(budget=single)
    with pytest.raises(UserError, match=r"rungs: got '1'; expected none; hint: a member is trained for 1 epoch;"):
        config(budget=single, rungs=(1,))


def test_limits_are_a_set():
    low, high = Limit.parse("acc>=0.5"), Limit.parse("bops<=1e7")
    assert config(limits=(high, low, high)) == config(limits=(low, high))


def test_measured_are_the_objectives_and_limited_names_that_cost_something():
    one = config(objectives=("pgd", "memory", "acc"), limits=(Limit.parse("fgsm>=0.1"), Limit.parse("bops<=1e9")))
    assert one.measured == ("acc", "fgsm", "pgd")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ()}, r"number of objectives: got 0; expected 1 to 6"),
        (
            {"objectives": ("acc", "pgd", "acc")},
            r"objective named twice: got 'acc'; expected each objective once",
        ),
        ({"objectives": ("acc", "pdg")}, r"unknown objective: got 'pdg'.*did you mean 'pgd'\?"),
        (
            {"sampler": "tpee"},
            r"unknown sampler: got 'tpee'; expected one of auto, exhaustive, gp, .*, tpe; hint: did you mean 'tpe'",
        ),
        (
            {"sampler": "exhaustive"},
            r"space too large for exhaustive: got '34464 candidates'; expected a space of at most 5000 candidates; ",
        ),
        (
            {"proposals": "of"},
            r"unknown proposals: got 'of'; expected one of model, off, pool; hint: did you mean 'off'",
        ),
        ({"seed": -1}, r"seed out of range: got -1; expected 0 to"),
        (
            {"limits": (Limit.parse("acc>=0.9"), Limit.parse("acc<=0.1"))},
            r"limits that contradict each other",
        ),
        ({"limits": ("bops<=2e8",)}, r"limit: got .*bops<=2e8.*; expected a Limit; hint: Limit.parse"),
    ],
)
def test_impossible_configs_say_what_is_wrong(changes, message):
    with pytest.raises(UserError, match=message):
        config(**changes)


@pytest.mark.parametrize(
    ("stop", "message"),
    [
        ({"trials": 0}, r"trials out of range: got 0; expected 1 to"),
        ({"trials": 2.5}, r"trials: got 2.5; expected a whole number"),
        ({"trials": 10, "seconds": 0}, r"seconds out of range: got 0"),
        ({"trials": 10, "seconds": float("nan")}, r"seconds out of range: got nan"),
    ],
)
def test_impossible_stops_say_what_is_wrong(stop, message):
    with pytest.raises(UserError, match=message):
        Stop(**stop)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"objectives": ("acc", "bops")},
            r"another objectives: got 'acc, bops'; expected acc, pgd, bops; hint: choose another --out",
        ),
        ({"space": SIXTY}, r"another space.precisions: got 'fp, pact2, .*expected fp, pact2"),
        ({"protocol": replace(PROTOCOL, epsilon=0.3)}, r"another protocol.epsilon: got '0.3'; expected 0.2"),
        ({"budget": replace(BUDGET, epochs=9)}, r"another budget.epochs: got '9'; expected 4"),
        ({"sampler": "random"}, r"another sampler: got 'random'; expected tpe"),
        ({"seed": 1}, r"another seed: got '1'; expected 0"),
        ({"limits": (Limit.parse("acc>=0.5"),)}, r"another limits: got 'acc>=0.5'; expected none"),
        ({"proposals": "off"}, r"another proposals: got 'off'; expected model"),
        ({"rungs": (1, 2)}, r"another rungs: got '1, 2'; expected none"),
        ({"allow_masked": True}, r"another allow_masked: got 'True'; expected False"),
    ],
)
def test_another_study_is_named_by_the_first_field_that_differs(changes, message):
    check_same(config(), config(), "runs/a")
    with pytest.raises(UserError, match=f"runs/a holds a study with {message}"):
        check_same(config(), config(**changes), "runs/a")
