"""Limits: their text, what breaks them, and those that nobody can meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from space.errors import UserError
from studies.fronts.bounds import Bounds
from studies.limits import OPERATORS, Limit, check_limits, first_broken, meets


def measured(**values):
    return {name: Measurement(value=value, unit=OBJECTIVES[name].unit) for name, value in values.items()}


def limit_of(name):
    fraction = OBJECTIVES[name].unit == "fraction"
    value = st.floats(0, 1) if fraction else st.floats(0, exclude_min=True, allow_infinity=False)
    return st.builds(Limit, st.just(name), st.sampled_from(OPERATORS), value)


limits = st.sampled_from([*OBJECTIVES]).flatmap(limit_of)


@given(limits)
def test_text_and_limit_round_trip(limit):
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize("text", ["bops<=2e8", " bops <= 200000000 ", "bops<=2.0E+8"])
def test_one_limit_has_one_text(text):
    assert str(Limit.parse(text)) == "bops<=2e+08"


@given(limits, st.floats(1e-6, 1))
def test_a_limit_is_broken_beyond_its_value_only(limit, share):
    value = share if OBJECTIVES[limit.objective].unit == "fraction" else share * 1e10
    broken = value > limit.value if limit.op == "<=" else value < limit.value
    assert limit.broken_by(measured(**{limit.objective: value})) == broken
    if limit.value > 1e-9:
        assert (limit.violation(value) > 0) <= broken
    assert not limit.broken_by(measured(**{limit.objective: limit.value}))


def test_violations_are_fractions_or_doublings():
    assert Limit.parse("acc>=0.8").violation(0.7) == pytest.approx(0.1)
    assert Limit.parse("bops<=1e6").violation(4e6) == pytest.approx(2)
    assert Limit.parse("bops>=1e6").violation(4e6) == pytest.approx(-2)


def test_the_first_broken_limit_is_named_and_unmeasured_ones_wait():
    one, two = Limit.parse("acc>=0.8"), Limit.parse("bops<=10")
    assert first_broken([one, two], measured(bops=11)) == two
    assert first_broken([one, two], measured(bops=9)) is None
    assert not meets([one, two], measured(bops=9))
    assert meets([one, two], measured(bops=9, acc=0.8))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bops<2e8", r"malformed limit: got 'bops<2e8'; expected OBJECTIVE<=NUMBER or OBJECTIVE>=NUMBER"),
        ("bops", r"malformed limit: got 'bops'.*quote it"),
        ("bop<=2", r"unknown objective: got 'bop'.*did you mean 'bops'\?"),
        ("bops<=many", r"limit on bops: got 'many'; expected a number"),
        ("bops<=nan", r"limit on bops: got nan; expected a number"),
        ("bops<=inf", r"limit on bops: got inf"),
        ("bops<=0", r"limit on bops: got 0.0; expected more than 0"),
        ("acc>=80", r"limit on acc: got 80.0; expected a fraction from 0 to 1; hint: write 0.8 for 80 %"),
        ("acc>=1.01", r"limit on acc: got 1.01; expected a fraction"),
        ("pgd>=-0.1", r"limit on pgd: got -0.1; expected a fraction"),
    ],
)
def test_malformed_limits_say_what_is_wrong(text, message):
    with pytest.raises(UserError, match=message):
        Limit.parse(text)


def test_another_operator_is_refused():
    with pytest.raises(UserError, match="operator of a limit: got '=='; expected <= or >="):
        Limit("bops", "==", 2.0)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["acc>=0.9", "acc<=0.8"], r"contradict each other: got 'acc>=0.9 and acc<=0.8'"),
        (
            ["bops<=10"],
            r"limit on bops that nobody can meet: got 'bops<=10'; expected at least 100, the cheapest",
        ),
        (["bops>=1e9"], r"limit on bops that nobody can meet: got 'bops>=1e\+09'; expected at most 1e\+04"),
    ],
)
def test_limits_nobody_can_meet_are_refused(texts, message):
    with pytest.raises(UserError, match=message):
        check_limits([Limit.parse(text) for text in texts], Bounds({"bops": (100.0, 1e4)}))


def test_limits_somebody_can_meet_pass():
    texts = ["acc>=0.8", "acc>=0.9", "acc<=0.9", "bops<=100", "bops<=1e9", "memory<=1"]
    check_limits([Limit.parse(text) for text in texts], Bounds({"bops": (100.0, 1e4)}))
