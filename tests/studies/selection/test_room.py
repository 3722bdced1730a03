"""How far limits can move, against trying every value."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_selection_rules import MANY, OBJECTIVES, RULES, record

from space.errors import UserError
from studies.limits import Limit
from studies.selection.room import room_of
from studies.selection.select import select
from studies.terms import Terms


def chosen(records, limits, rule):
    try:
        return select(records, OBJECTIVES, Terms(tuple(limits)), rule).chosen.number
    except UserError:
        return None


def test_by_hand():
    """The best within 5e6 is #1; #3 from below 4e6 on, #2 from 8e6 on."""
    records = [record(1, 0.9, 0.50, 4e6), record(2, 0.8, 0.60, 8e6), record(3, 0.6, 0.45, 1e6)]
    limit = Limit.parse("bops<=5e6")
    room = room_of(limit, records, OBJECTIVES, Terms((limit,)), "best:pgd")
    assert (room.tightest, room.tighter.number, room.loosest, room.looser.number) == (4e6, 3, 8e6, 2)
    floor = Limit.parse("acc>=0.7")
    room = room_of(floor, records, OBJECTIVES, Terms((limit, floor)), "best:pgd")
    assert (room.tightest, room.tighter, room.loosest, room.looser) == (0.9, None, None, None)


def test_a_limit_that_the_study_has_too_can_be_tightened_only():
    records = [record(1, 0.9, 0.50, 4e6), record(2, 0.8, 0.60, 8e6), record(3, 0.6, 0.45, 1e6)]
    limit = Limit.parse("bops<=5e6")
    room = room_of(limit, records, OBJECTIVES, Terms((limit,)).tightened([limit]), "best:pgd")
    assert (room.tightest, room.tighter.number, room.loosest, room.looser) == (4e6, 3, None, None)


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=25)
@given(records=MANY, bops=st.integers(0, 11), acc=st.integers(0, 41))
def test_the_choice_stays_exactly_so_far(rule, records, bops, acc):
    """Every value of a record and everything in between is tried, on both sides."""
    limits = [Limit("bops", "<=", 0.75e6 * 2 ** (bops / 2)), Limit("acc", ">=", acc / 41)]
    number = chosen(records, limits, rule)
    assume(number is not None)
    costs = [7.5e5 * 2 ** (step / 2) for step in range(14)] + [1e6 * 2**step for step in range(6)]
    shares = [step / 40 for step in range(41)]
    for limit, tried in zip(limits, (costs, shares), strict=True):
        room = room_of(limit, records, OBJECTIVES, Terms(tuple(limits)), rule)
        others = [one for one in limits if one != limit]
        sign = 1 if limit.op == "<=" else -1
        inside = [
            value
            for value in (*tried, room.tightest)
            if sign * room.tightest <= sign * value and (room.loosest is None or sign * value < sign * room.loosest)
        ]
        assert inside
        for value in inside:
            assert chosen(records, [*others, Limit(limit.objective, limit.op, value)], rule) == number
        if room.loosest is not None:
            beyond = chosen(records, [*others, Limit(limit.objective, limit.op, room.loosest)], rule)
            assert beyond != number
            assert beyond == (room.looser and room.looser.number)
        step = room.tightest * (1 - 1e-9) if limit.op == "<=" else room.tightest + 1e-9
        if 0 < step <= (1 if limit.objective == "acc" else step):
            tighter = chosen(records, [*others, Limit(limit.objective, limit.op, step)], rule)
            assert tighter != number
            assert tighter == (room.tighter and room.tighter.number)
