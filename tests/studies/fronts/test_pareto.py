"""Non-dominated points against their definition."""

import numpy as np
import pytest
from closed_form import measurement
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from studies import front
from studies.fronts.pareto import non_dominated
from studies.limits import Limit
from studies.records import GrowingFront, Record
from studies.terms import USUAL, Terms

# Few different values, so that ties and equal points are common.
values = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, np.inf])
point_sets = st.integers(1, 4).flatmap(
    lambda k: hnp.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(k)), elements=values)
)


def by_definition(points, maximize):
    sign = np.where(maximize, -1.0, 1.0)

    def dominates(a, b):
        return all(a * sign <= b * sign) and any(a * sign < b * sign)

    return [not any(dominates(other, point) for other in points) for point in points]


@given(point_sets, st.data())
def test_agrees_with_the_definition(points, data):
    maximize = data.draw(st.lists(st.booleans(), min_size=points.shape[1], max_size=points.shape[1]))
    assert non_dominated(points, maximize).tolist() == by_definition(points, maximize)


def test_equal_points_are_all_kept():
    points = np.array([[0.9, 5.0], [0.9, 5.0], [0.8, 5.0], [0.7, 1.0]])
    assert non_dominated(points, [True, False]).tolist() == [True, True, False, True]


def test_no_points_have_no_front():
    assert non_dominated(np.empty((0, 3)), [True] * 3).tolist() == []


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        non_dominated(np.array([[0.5, np.nan]]), [True, True])


@pytest.mark.parametrize("shape", [(3,), (3, 3), (2, 2, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="n x 2"):
        non_dominated(np.zeros(shape), [True, True])


def test_a_large_set_takes_no_time():
    points = np.random.default_rng(0).random((5000, 3))
    keep = non_dominated(points, [True] * 3)
    assert 10 < keep.sum() < 500


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=25))
def test_a_growing_front_is_the_front_of_all_records_at_any_time(points):
    records = [
        Record(
            number=number,
            candidate="fp",
            key=str(number),
            state="complete" if complete else "vetoed",
            measurements={"acc": measurement("acc", acc / 3), "bops": measurement("bops", float(bops))},
        )
        for number, (acc, bops, complete) in enumerate(points)
    ]
    growing = GrowingFront(("acc", "bops"), USUAL, records[:5])
    for count, record in enumerate(records[5:], 6):
        growing.add(record)
        assert list(growing.members) == front(records[:count], ("acc", "bops"))
    assert list(growing.members) == front(records, ("acc", "bops"))


ways = st.sampled_from([("complete", "sampler")] * 3 + [("complete", "repeat"), ("failed", "sampler")])
rows = st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("abc"), ways)


@given(st.lists(rows, max_size=12))
def test_a_front_that_begins_with_records_has_repetitions_averaged_and_each_design_once(table):
    terms = Terms((Limit.parse("acc>=0.3"),))
    records = [
        Record(
            number=number,
            candidate="fp",
            key=key,
            state=state,
            measurements={"acc": measurement("acc", acc / 3, n=9), "bops": measurement("bops", float(bops))},
            origin=origin,
        )
        for number, (acc, bops, key, (state, origin)) in enumerate(table)
    ]
    grown = GrowingFront(("acc", "bops"), terms, records)
    assert list(grown.members) == front(records, ("acc", "bops"), terms)
    fresh = GrowingFront(("acc", "bops"), terms)
    fresh.renew(records)
    assert fresh.members == grown.members
