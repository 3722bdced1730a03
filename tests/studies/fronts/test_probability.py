"""How sure the front is: against closed forms, against images that are really drawn again, and by definition."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from closed_form import measurement
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import Measurement
from evaluators.objectives import find_objectives
from studies.fronts.probability import DRAWS, Draws, correlation, front_probability
from studies.limits import Limit
from studies.records import Record, front
from studies.terms import Terms

OBJECTIVES = ("acc", "pgd", "bops")
NOISE = 4 * 0.5 / math.sqrt(DRAWS)
"""Four standard errors of a share of the draws."""


def redrawn(records, objectives, seed=0):
    """Values of all records, k × n × DRAWS."""
    signs = np.array([-1.0 if one.maximize else 1.0 for one in find_objectives(objectives)])
    return Draws(records, objectives, seed).of(range(len(records))) * signs[:, None, None]


def record(number, hits, stands, cost, state="complete", key=None):
    measured = {
        "acc": Measurement.fraction(hits, 800),
        "pgd": Measurement.fraction(stands, 256),
        "bops": measurement("bops", cost),
    }
    return Record(number=number, candidate="fp", key=key or f"key {number}", state=state, measurements=measured)


FRONT = [
    record(0, 700, 100, 1e6),
    record(1, 712, 104, 2e6),
    record(2, 705, 130, 4e6),
    record(3, 698, 96, 4e6),
    record(4, 780, 180, 9e6),
    record(5, 400, 10, 9e6),
]


def test_two_candidates_have_a_closed_form():
    """The dearer of two is on the front where it is better at all: the difference of two normal numbers."""
    records = [record(0, 700, 0, 1e6), record(1, 690, 0, 2e6)]
    first, second = (one.measurements["acc"] for one in records)
    difference = NormalDist(second.value - first.value, math.hypot(first.stderr, second.stderr))
    found = front_probability(records, ("acc", "bops"))
    assert found[0] == 1.0
    assert found[1] == pytest.approx(1 - difference.cdf(0.0), abs=NOISE)
    assert 0.1 < found[1] < 0.9


def test_what_has_no_error_is_certain():
    exact = [
        Record(number=i, candidate="fp", key=str(i), state="complete", measurements=values)
        for i, values in enumerate(
            {"acc": measurement("acc", acc), "bops": measurement("bops", cost)}
            for acc, cost in [(0.5, 1e6), (0.5, 1e6), (0.6, 2e6), (0.6, 3e6), (0.4, 5e5)]
        )
    ]
    assert front_probability(exact, ("acc", "bops")) == {0: 1.0, 1: 1.0, 2: 1.0, 3: 0.0, 4: 1.0}
    assert front_probability(exact[:1], ("acc",)) == {0: 1.0}
    assert front_probability([], OBJECTIVES) == {}


def test_what_no_image_stands_is_a_tie_in_every_draw():
    """Two networks that nothing stands differ in their clean accuracy only."""
    records = [record(0, 780, 0, 1e6), record(1, 700, 0, 2e6)]
    assert front_probability(records, OBJECTIVES) == {0: 1.0, 1: 0.0}


def by_definition(drawn, maximize):
    """Which of the points no other dominates: every pair in every draw."""
    losses = [-values if up else values for values, up in zip(drawn, maximize, strict=True)]
    points, draws = losses[0].shape
    shares = []
    for one in range(points):
        kept = 0
        for draw in range(draws):
            mine = [loss[one, draw] for loss in losses]
            others = [[loss[other, draw] for loss in losses] for other in range(points)]
            beaten = [all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine for other in others]
            kept += not any(beaten)
        shares.append(kept / draws)
    return shares


def test_shares_are_those_of_the_definition():
    found = front_probability(FRONT, OBJECTIVES, seed=3)
    assert list(found.values()) == by_definition(redrawn(FRONT, OBJECTIVES, 3), (True, True, False))
    assert [found[0], found[4], found[5]] == [1.0, 1.0, 0.0]
    assert 0.02 < found[3] < found[1] < 1.0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 800), st.integers(0, 256), st.integers(1, 4)), min_size=1, max_size=50))
def test_many_are_compared_as_few_are(rows):
    """More records than are compared in one go, against every pair at once."""
    records = [record(i, hits, stands, cost) for i, (hits, stands, cost) in enumerate(rows)]
    found = np.array(list(front_probability(records, OBJECTIVES).values()))
    assert found.tolist() == alive(redrawn(records, OBJECTIVES)).mean(axis=1).tolist()


def alive(values):
    """Which of the points no other dominates, every pair at once; for OBJECTIVES."""
    losses = values * np.array([-1, -1, 1])[:, None, None]
    mine, theirs = losses[:, :, None], losses[:, None]
    return ~((mine <= theirs).all(axis=0) & (mine < theirs).any(axis=0)).any(axis=0)


def images(generator, clean, robust):
    """800 images of one network, of which the first 256 are attacked: what is right, and what stands."""
    luck = generator.random(800)
    return luck < clean, luck < robust


def test_it_is_what_drawing_the_images_again_gives():
    """A bootstrap without any formula: every network has images of its own, and they are drawn again, both rows at
    once; shares of equal count tie there, which they never do between normal numbers."""
    generator = np.random.default_rng(5)
    rates = [(0.9, 0.40, 1e6), (0.91, 0.42, 2e6), (0.90, 0.50, 4e6), (0.93, 0.55, 4e6), (0.88, 0.60, 8e6)]
    drawn_images = [images(generator, clean, robust) for clean, robust, _ in rates]
    records = [
        record(i, int(right.sum()), int(stands[:256].sum()), cost)
        for i, ((right, stands), (*_, cost)) in enumerate(zip(drawn_images, rates, strict=True))
    ]
    draws = 2000
    values = np.empty((3, len(rates), draws))
    for i, (right, stands) in enumerate(drawn_images):
        attacked, others = generator.integers(0, 256, (draws, 256)), generator.integers(256, 800, (draws, 544))
        values[0, i] = (right[attacked].sum(axis=1) + right[others].sum(axis=1)) / 800
        values[1, i] = stands[attacked].mean(axis=1)
        values[2, i] = rates[i][2]
    values[:2] += generator.normal(0, 1e-9, values[:2].shape)
    found = np.array(list(front_probability(records, OBJECTIVES).values()))
    assert found == pytest.approx(alive(values).mean(axis=1), abs=0.05)
    assert 0.05 < found.min() < 0.9


def test_shares_of_one_sample_are_correlated_as_their_odds_say():
    generator = np.random.default_rng(1)
    luck = generator.random((4000, 800))
    right, stands = (luck < 0.9).mean(axis=1), (luck[:, :256] < 0.6).mean(axis=1)
    values, sizes = np.array([[0.9, 0.6]]), np.array([800, 256])
    [[_, (found, one)]] = correlation(values, np.sqrt(values * (1 - values) / sizes))
    assert found == pytest.approx(np.corrcoef(right, stands)[0, 1], abs=4 / math.sqrt(4000))
    assert one == pytest.approx(1.0)


fractions = st.tuples(st.floats(0, 1), st.floats(0, 0.5))


@given(st.lists(fractions, min_size=1, max_size=6))
def test_a_correlation_can_always_be_drawn_from(rows):
    values, errors = np.array(rows).T[:, None]
    assert np.isfinite(np.linalg.cholesky(correlation(values, errors))).all()


def test_draws_have_the_mean_and_the_error_that_were_measured():
    drawn = redrawn(FRONT, OBJECTIVES)
    for column, name in enumerate(OBJECTIVES):
        for row, one in zip(drawn[column], FRONT, strict=True):
            measured = one.measurements[name]
            assert row.mean() == pytest.approx(measured.value, abs=4 * measured.stderr / math.sqrt(DRAWS) + 1e-12)
            assert row.std() == pytest.approx(measured.stderr, rel=0.1)


def test_no_draw_is_more_robust_than_right():
    accuracy, robust, _ = redrawn([record(0, 792, 252, 1e6), record(1, 10, 3, 1e6)], OBJECTIVES)
    assert (robust <= accuracy).all()
    assert (robust == accuracy).any()
    assert robust.min() >= 0
    assert accuracy.max() <= 1


@given(st.permutations(FRONT))
def test_the_order_does_not_matter(records):
    assert front_probability(records, OBJECTIVES) == front_probability(FRONT, OBJECTIVES)


def test_other_records_do_not_change_what_is_drawn():
    found = front_probability(FRONT, OBJECTIVES)
    more = [*FRONT, record(9, 100, 1, 2e7), record(10, 800, 256, 1e3, "failed"), record(11, 790, 250, 1e3, key="key 0")]
    again = front_probability(more, OBJECTIVES)
    assert again == found | {9: 0.0}
    assert front_probability(FRONT, OBJECTIVES, seed=1) != found


def test_the_terms_hold_as_measured():
    terms = Terms((Limit.parse("bops<=5e6"), Limit.parse("acc>=0.875")))
    assert front_probability(FRONT, OBJECTIVES, terms).keys() == {0, 1, 2}


def test_a_front_by_luck_is_told_from_one_by_merit():
    """Of thirty networks that are alike, some lead by chance; one that is better than all is sure."""
    generator = np.random.default_rng(0)
    alike = [record(i, int(hits), 100, 1e6) for i, hits in enumerate(generator.binomial(800, 0.9, 30))]
    better = record(30, 790, 200, 1e6)
    lucky = front(alike, OBJECTIVES)
    assert all(front_probability(alike, OBJECTIVES)[one.number] < 0.9 for one in lucky)
    assert front_probability([*alike, better], OBJECTIVES)[30] == 1.0


def test_what_no_draw_brings_to_the_front_is_told_without_a_comparison():
    """Hundreds that are far behind change nothing, and what they would have taken is spared."""
    behind = [record(100 + one, 300, 5, 9e7) for one in range(200)]
    found = front_probability([*FRONT, *behind], OBJECTIVES)
    expected = alive(redrawn([*FRONT, *behind], OBJECTIVES)).mean(axis=1)
    assert [*found.values()] == expected.tolist()
    assert not any(found[one.number] for one in behind)
