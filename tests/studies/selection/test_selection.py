"""Choosing one record: limits, rules, ties, knees and refusals."""

from dataclasses import replace

import numpy as np
import pytest
from closed_form import measurement
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evaluators.base import Measurement
from space.errors import UserError
from studies.fronts.knees import bulges, by_trade_off
from studies.limits import Limit
from studies.records import Record, front
from studies.selection.offer import Offer
from studies.selection.rules.reading import check_rule, default_rule
from studies.selection.select import select
from studies.terms import Terms

OBJECTIVES = ("acc", "pgd", "bops")


def record(number, acc, pgd, cost, state="complete"):
    measured = {
        "acc": measurement("acc", acc, stderr=0.01),
        "pgd": measurement("pgd", pgd, stderr=0.02),
        "bops": measurement("bops", cost),
        "memory": measurement("memory", cost / 100),
    }
    return Record(number=number, candidate=f"pact{number + 2}", key=str(number), state=state, measurements=measured)


FRONT = [
    record(0, 0.95, 0.10, 8e6),
    record(1, 0.90, 0.50, 4e6),
    record(2, 0.80, 0.60, 8e6),
    record(3, 0.60, 0.45, 1e6),
    record(4, 0.50, 0.20, 2e6),  # dominated
    record(5, 0.99, 0.99, 1e3, "failed"),
]


def test_the_default_takes_the_most_robust_and_says_why():
    chosen = select(FRONT, OBJECTIVES)
    assert chosen.chosen.number == 2
    assert chosen.rule == "the highest worst-case accuracy under attack (pgd)"
    assert chosen.reason == (
        "#2 has pgd 0.6 ± 0.02, the best of the 4 records of the front; next is #1 with 0.5 ± 0.02"
    )
    assert [one.number for one in chosen.runners_up] == [1, 3, 0]


@pytest.mark.parametrize(
    ("sure", "warning"),
    [
        ({2: 0.49}, "P(front) of #2 is 0.49: given the errors, others probably beat it"),
        ({2: 0.5}, ""),
        ({1: 0.1}, ""),
    ],
)
def test_a_choice_that_is_probably_beaten_is_warned_of(sure, warning):
    assert Offer(records=FRONT, sure=sure).select(OBJECTIVES, Terms()).warning == warning


@pytest.mark.parametrize(
    ("limit", "warning"),
    [
        ("pgd>=0.6", "pgd of #0 may break pgd>=0.6: its 95 % interval is 0.5682 to 0.6858"),
        ("pgd>=0.56", ""),
        ("acc<=0.95", "acc of #0 may break acc<=0.95: its 95 % interval is 0.928 to 0.9566"),
        ("acc<=0.96", ""),
        ("bops<=1e6", ""),
    ],
)
def test_a_choice_that_meets_a_limit_by_less_than_its_error_is_warned_of(limit, warning):
    measured = {
        "acc": Measurement.fraction(944, 1000),
        "pgd": Measurement.fraction(161, 256),
        "bops": measurement("bops", 1e6),
    }
    only = Record(number=0, candidate="fp", key="0", state="complete", measurements=measured)
    assert select([only], OBJECTIVES, Terms((Limit.parse(limit),))).warning == warning


def test_the_cheapest_within_a_limit_meets_it_truly_unless_it_is_warned_of():
    """The cheapest of those that met it on few images is often one that was lucky."""
    rng, limit, met = np.random.default_rng(0), Limit.parse("pgd>=0.6"), {True: [], False: []}
    for _ in range(200):
        truth = rng.uniform(0.4, 0.7, 30)
        records = [
            replace(
                record(i, 0.9, 0.0, 1e6 + i),
                measurements={"pgd": Measurement.fraction(int(hits), 256), "bops": measurement("bops", 1e6 + i)},
            )
            for i, hits in enumerate(rng.binomial(256, truth))
        ]
        found = select(records, ("pgd", "bops"), Terms((limit,)), "best:bops")
        met[bool(found.warning)].append(truth[found.chosen.number] >= limit.value)
    assert np.mean(met[False]) > 0.95
    assert np.mean(met[True]) < 0.75


def test_limits_come_first_and_are_named():
    terms = Terms((Limit.parse("bops<=5e6"), Limit.parse("acc>=0.7")))
    chosen = select(FRONT, OBJECTIVES, terms)
    assert chosen.chosen.number == 1
    assert chosen.rule == "the highest worst-case accuracy under attack (pgd) where bops<=5e+06 and acc>=0.7"
    assert chosen.reason == "#1 is the only record of the front within the limits"
    assert (chosen.runners_up, chosen.knee, chosen.terms) == ((), None, terms)


@pytest.mark.parametrize(("rule", "number"), [("best:acc", 0), ("best:pgd", 2), ("best:bops", 3)])
def test_the_best_of_any_objective_can_be_asked_for(rule, number):
    assert select(FRONT, OBJECTIVES, rule=rule).chosen.number == number


@pytest.mark.parametrize(
    ("objectives", "rule"),
    [
        (("acc", "pgd", "bops"), "best:pgd"),
        (("bops", "fgsm", "acc"), "best:fgsm"),
        (("memory", "bops"), "best:memory"),
    ],
)
def test_the_default_rule_follows_the_objectives(objectives, rule):
    assert default_rule(objectives) == rule


def test_a_tie_goes_to_the_cheaper_then_to_the_older():
    records = [record(0, 0.8, 0.5, 4e6), record(1, 0.7, 0.5, 1e6), record(2, 0.7, 0.5, 1e6)]
    chosen = select(records, OBJECTIVES)
    assert [chosen.chosen.number, *(one.number for one in chosen.runners_up)] == [1, 2, 0]
    assert chosen.reason.endswith("and is cheaper or older than #2, which has the same")


def test_a_lead_within_the_noise_is_called_so():
    """Each has an error of 0.02, their difference one of 0.028."""
    records = [record(0, 0.8, 0.50, 4e6), record(1, 0.9, 0.473, 4e6), record(2, 0.95, 0.47, 3e6)]
    assert select(records, OBJECTIVES).reason.endswith(
        "next is #1 with 0.473 ± 0.02, 2.7 points below, within its error of 2.8"
    )
    more = [*records, record(3, 0.96, 0.48, 5e6), record(4, 0.97, 0.475, 6e6)]
    assert select(more, OBJECTIVES).reason.endswith("2.0 points below, within its error of 2.8, as are 2 more")
    assert select(more[:4], OBJECTIVES).reason.endswith("within its error of 2.8, as is 1 more")


def test_exact_costs_are_never_within_noise():
    records = [record(0, 0.8, 0.50, 4e6), record(1, 0.7, 0.45, 4e6 - 1)]
    assert select(records, OBJECTIVES, rule="best:bops").reason.endswith("next is #0 with 4e+06")


def test_a_knee_within_the_noise_is_called_so():
    """Over the line through the extremes, #1 bulges by 0.4/√2; accuracies range over 0.8."""
    accuracies = (0.1, 0.1 + 0.8 * (0.4 + 1 / 3), 0.899, 0.9)
    records = [record(i, acc, 0.5, 1e6 * 2**i) for i, acc in enumerate(accuracies)]
    [first, second] = by_trade_off(records, ("acc", "bops"))
    assert (first.record.number, second.record.number) == (1, 2)
    assert first.height == pytest.approx(0.4 / np.sqrt(2))
    assert first.stderr == pytest.approx(0.01 / 0.8 / np.sqrt(2))
    assert select(records, ("acc", "bops"), rule="knee").reason == "#1 bulges most among the 4 records of the front"
    closer = [records[0], record(1, 0.1 + 0.8 * (0.33 + 1 / 3), 0.5, 2e6), *records[2:]]
    reason = select(closer, ("acc", "bops"), rule="knee").reason
    first, second = by_trade_off(closer, ("acc", "bops"))
    lead = first.height - second.height
    assert 0 < lead <= np.hypot(first.stderr, second.stderr)
    assert reason.endswith(
        f"; #{second.record.number} does so by {lead:.2g} of the front's range less, within its error of 0.012"
    )


def test_the_knee_is_suggested_and_can_be_the_rule():
    records = [record(i, acc, 0.5, 1e6 * 2**i) for i, acc in enumerate([0.1, 0.8, 0.9, 0.95])]
    assert select(records, ("acc", "bops"), rule="best:acc").knee.number == 1
    chosen = select(records, ("acc", "bops"), rule="knee")
    assert (chosen.chosen.number, chosen.runners_up[0].number) == (1, 2)
    assert chosen.reason == "#1 bulges most among the 4 records of the front"
    assert chosen.rule == "the largest bulge of the front over the plane through its extremes"


def test_costs_are_compared_in_doublings():
    """On a linear scale #3 would bulge; in doublings the front is straight but for #1."""
    records = [record(i, acc, 0.5, 1e6 * 4**i) for i, acc in enumerate([0.2, 0.5, 0.6, 0.8])]
    assert [one.record.number for one in by_trade_off(records, ("acc", "bops"))] == [1]


def test_a_straight_front_has_no_knee():
    records = [record(i, 0.2 * i, 0.5, 1e6 * 2**i) for i in range(4)]
    assert select(records, ("acc", "bops")).knee is None
    with pytest.raises(
        UserError,
        match=r"front without a knee: got '4 records'; expected three or more that do not lie on a plane",
    ):
        select(records, ("acc", "bops"), rule="knee")
    with pytest.raises(UserError, match=r"got '1 record'; expected three or more"):
        select(records[:1], ("acc", "bops"), rule="knee")


shares = st.floats(0, 1) | st.floats(0, 1e-6) | st.sampled_from([0.0, 0.5, 1.0])


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 4)), elements=shares))
def test_bulges_are_distances_from_a_plane_with_the_ideal_on_its_far_side(losses):
    k = losses.shape[1]
    heights = bulges(losses)
    assert bulges(np.vstack([losses, np.zeros(k)]))[-1] > 0
    assert (np.abs(np.diff(heights)) <= np.linalg.norm(np.diff(losses, axis=0), axis=1) + 1e-9).all()


def test_bulges_by_hand():
    losses = np.array([[0.0, 1.0], [0.2, 0.2], [1.0, 0.0], [0.6, 0.6]])
    assert bulges(losses) == pytest.approx(np.array([0.0, 0.6, 0.0, -0.2]) / np.sqrt(2))


def test_bulges_of_three_objectives_are_distances_from_the_plane_through_the_best_of_each():
    """By the cross product of two of its sides; the best of the first objective is 0.6 and 0.8 from those of others."""
    extremes = np.array([[0.0, 0.6, 0.8], [0.7, 0.0, 1.0], [1.0, 1.0, 0.0]])
    inside, outside = np.array([[0.3, 0.3, 0.3], [0.9, 0.8, 0.7]])
    across = np.cross(extremes[1] - extremes[0], extremes[2] - extremes[0])
    across *= np.sign(across @ extremes[0]) / np.linalg.norm(across)
    assert (across > 0).all()
    expected = [across @ (extremes[0] - one) for one in (*extremes, inside, outside)]
    found = bulges(np.vstack([extremes, inside, outside]))
    assert found == pytest.approx(expected, abs=1e-12)
    assert found[3] > 0 > found[4]


@pytest.mark.parametrize(
    "extremes",
    [
        [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]],  # one record is the best of two objectives
        [[0.0, 0.1, 0.1], [0.2, 0.0, 1.0], [1.0, 1.0, 0.0]],  # its normal is (-20, 23, 7) / 3
    ],
)
def test_where_the_extremes_span_no_such_plane_that_of_equal_sums_takes_its_place(extremes):
    losses = np.array([*extremes, [0.4, 0.3, 0.2]])
    assert bulges(losses) == pytest.approx((1 - losses.sum(axis=1)) / np.sqrt(3))


def test_three_records_may_have_a_knee_and_one_objective_has_none():
    records = [record(i, acc, 0.5, 1e6 * 2**i) for i, acc in enumerate([0.1, 0.8, 0.9])]
    assert [one.record.number for one in by_trade_off(records, ("acc", "bops"))] == [1]
    assert by_trade_off(records, ("acc",)) == by_trade_off(records, ("acc", "pgd")) == []


def test_nothing_meets_the_limits_names_the_closest():
    terms = Terms((Limit.parse("pgd>=0.55"), Limit.parse("acc>=0.9")))
    with pytest.raises(UserError) as caught:
        select(FRONT, OBJECTIVES, terms)
    assert str(caught.value) == (
        "no record meets the limits: got 'pgd>=0.55, acc>=0.9'; "
        "hint: closest is #1 pact3: pgd 0.5 misses pgd>=0.55 by 0.05"
    )


def test_a_limit_on_what_was_not_measured_says_so():
    with pytest.raises(UserError, match=r"closest is #0 pact2: fgsm was not measured for fgsm>=0.5"):
        select(FRONT, OBJECTIVES, Terms((Limit.parse("fgsm>=0.5"),)))


@pytest.mark.parametrize("records", [[], [FRONT[5]]])
def test_nothing_complete_leaves_nothing_to_select(records):
    with pytest.raises(UserError, match=f"nothing to select from: got '{len(records)} records, none complete'"):
        select(records, OBJECTIVES)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("cheapest", r"unknown rule: got 'cheapest'; expected best:OBJECTIVE or knee or lex.*; hint: e.g. best:pgd"),
        ("worst:acc", r"unknown rule: got 'worst:acc'"),
        ("best:pdg", r"unknown objective: got 'pdg'.*did you mean 'pgd'\?"),
        ("best:fgsm", r"rule: got 'best:fgsm'; expected an objective of the study: acc, pgd, bops"),
    ],
)
def test_unknown_rules_are_refused(rule, message):
    with pytest.raises(UserError, match=message):
        check_rule(rule, OBJECTIVES)


@given(st.permutations(FRONT))
def test_the_order_of_records_does_not_matter(records):
    assert select(records, OBJECTIVES) == select(FRONT, OBJECTIVES)
    assert front(records, OBJECTIVES) == FRONT[:4]
