"""Trials of which most lie on the disk."""

import copy
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from studies.storage.kept import Kept
from studies.storage.trials import Trials

CHOICES = CategoricalDistribution([None, True, 3, 0.5, "x"])
times = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1))
numbers = st.floats(allow_nan=False)
names = st.text(max_size=5)


@st.composite
def trials(draw, number=0, states=tuple(TrialState)):
    """A trial as Optuna may hold one."""
    state = draw(st.sampled_from(states))
    one = FrozenTrial(
        number=number,
        trial_id=number,
        state=state,
        value=None,
        values=draw(st.none() | st.lists(numbers, min_size=2, max_size=2)),
        params={},
        distributions={},
        user_attrs=draw(st.dictionaries(names, names | numbers, max_size=3)),
        system_attrs=draw(st.dictionaries(names, st.lists(numbers, max_size=2) | st.none(), max_size=3)),
        intermediate_values=draw(st.dictionaries(st.integers(0, 9), numbers, max_size=2)),
        datetime_start=draw(times),
        datetime_complete=draw(times),
    )
    one.params = draw(
        st.fixed_dictionaries(
            {}, optional={"a": st.sampled_from(CHOICES.choices), "b": st.floats(0, 1), "c": st.integers(0, 9)}
        )
    )
    known = {"a": CHOICES, "b": FloatDistribution(0, 1), "c": IntDistribution(0, 9)}
    one.distributions = {name: known[name] for name in one.params}
    return one


def same(one, other):
    return {**one.__dict__, "_user_attrs": dict(one.user_attrs)} == {
        **other.__dict__,
        "_user_attrs": dict(other.user_attrs),
    }


@given(st.data(), st.integers(1, 4))
def test_it_is_a_dictionary_however_few_trials_are_in_memory(data, near):
    kept, expected = Kept(near), {}
    for _ in range(data.draw(st.integers(0, 15))):
        new = len(expected)
        number = data.draw(st.integers(0, new))
        if number < new and expected[number].state.is_finished():
            assert same(kept[number], expected[number])
            continue
        one = data.draw(trials(number))
        expected[number], kept[number] = copy.deepcopy(one), one
        assert [number for number, one in sorted(expected.items()) if not one.state.is_finished()] == [
            *kept.unfinished()
        ]
    assert [*kept] == [*kept.numbers] == sorted(expected)
    assert len(kept) == len(expected)
    assert all(same(kept[number], one) for number, one in expected.items())
    assert all(number not in kept for number in (-1, len(expected), "0"))
    with pytest.raises(KeyError):
        kept[len(expected)]


def finished(number, state=TrialState.COMPLETE):
    return FrozenTrial(number, state, None, None, None, {}, {}, {"n": number}, {}, {}, number, values=[0.0, 1.0])


def test_finished_trials_in_memory_are_the_last_that_were_asked_for():
    kept, given_ = Kept(near=3), [finished(number) for number in range(6)]
    for number, one in enumerate(given_):
        kept[number] = one
    assert kept[3] is given_[3]
    again = kept[0]
    assert again is not given_[0]
    assert kept[0] is again
    assert [kept[number] is given_[number] for number in (5, 4)] == [True, False]


def test_numbers_may_come_in_any_order():
    kept = Kept()
    for number in (4, 1):
        kept[number] = finished(number)
    assert ([*kept], [*kept.numbers], len(kept), 0 in kept, 2 in kept) == ([1, 4], [1, 4], 2, False, False)


def test_trials_are_as_they_were_when_they_were_asked_for():
    kept = Kept(near=1)
    for number in range(6):
        kept[number] = finished(number, TrialState.RUNNING if number in (2, 4) else TrialState.COMPLETE)
    numbers = [0, 2, 3, 4]  # of one of several studies
    asked = Trials(kept, numbers)
    kept[2] = finished(2)
    kept[6] = finished(6)
    numbers.append(6)
    assert [(one.number, one.state.name) for one in asked] == [
        (0, "COMPLETE"),
        (2, "RUNNING"),
        (3, "COMPLETE"),
        (4, "RUNNING"),
    ]
    assert (len(asked), asked[-1].number, [one.number for one in asked[1:3]]) == (4, 4, [2, 3])
    with pytest.raises(IndexError):
        asked[4]
    running = asked.chosen([TrialState.RUNNING], deepcopy=False)
    assert [one.number for one in running] == [2, 4]
    assert [one.number for one in asked.chosen([TrialState.COMPLETE], deepcopy=False)] == [0, 3]
    assert asked.chosen(None, deepcopy=False) is asked
    copied = asked.chosen(None, deepcopy=True)
    assert [type(one.user_attrs) for one in copied] == [dict] * 4
    assert copied[1] is not asked[1]


def test_trials_have_in_common_what_is_alike():
    kept = Kept(near=1)
    for number, high in enumerate((1, 1, 2)):
        one = finished(number)
        one.params, one.distributions = {"a": 0}, {"a": IntDistribution(0, high)}
        kept[number] = one
    shared = [kept[number].distributions for number in range(3)]
    assert shared[0] is shared[1]
    assert shared[2] == {"a": IntDistribution(0, 2)}
