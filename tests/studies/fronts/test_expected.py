"""Expected gains against brute force: the definition of the hypervolume, and the average over many draws."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from studies.fronts.expected import EXACT, cells, expected_gains
from studies.fronts.hypervolume import hypervolume

unit = st.floats(0, 1, allow_subnormal=False) | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@st.composite
def fronts(draw, dimensions=(1, 2, 3), size=8):
    """A set of points, dominated ones and repeats included, and some points beside it."""
    k = draw(st.sampled_from(dimensions))
    points = hnp.arrays(np.float64, st.tuples(st.integers(0, size), st.just(k)), elements=unit)
    others = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.just(k)), elements=unit)
    return draw(points), draw(others)


def gain(front, point):
    """By the definition: the hypervolume with the point, less that without it."""
    corner = np.ones(len(point))
    return hypervolume(np.vstack([front, np.clip(point, 0, 1)]), corner) - hypervolume(front, corner)


@given(fronts())
def test_a_gain_without_doubt_is_the_difference_of_two_hypervolumes(sets):
    front, points = sets
    found = expected_gains(front, points, np.zeros_like(points))
    assert found == pytest.approx([gain(front, point) for point in points], abs=1e-12)


@given(fronts())
def test_cells_fill_what_the_front_leaves_and_do_not_overlap(sets):
    front, _ = sets
    low, high = cells(front)
    assert (high >= low).all()
    left = 1 - hypervolume(front, np.ones(front.shape[1]))
    assert (high - low).prod(axis=1).sum() == pytest.approx(left, abs=1e-12)
    for point in (low + high) / 2:
        within = (low < point).all(axis=1) & (point < high).all(axis=1)
        assert within.sum() <= 1
        assert not within.any() or not (front <= point).all(axis=1).any()


def grid(mean, deviation, count):
    """Equally likely values of a normal number."""
    return [NormalDist(mean, deviation).inv_cdf((i + 0.5) / count) for i in range(count)] if deviation else [mean]


@given(fronts(size=5), st.data())
@settings(deadline=None, max_examples=15)
def test_an_expected_gain_is_the_average_over_what_may_be_measured(sets, data):
    front, points = sets
    mean = points[0]
    deviation = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.05, 0.3]), min_size=len(mean), max_size=len(mean))))
    count = 100 if (deviation > 0).sum() == 1 else 12
    values = np.meshgrid(*(grid(m, d, count) for m, d in zip(mean, deviation, strict=True)), indexing="ij")
    draws = np.stack([value.ravel() for value in values], axis=1)
    average = np.mean([gain(front, draw) for draw in draws])
    found = expected_gains(front, mean[None], deviation[None])[0]
    assert found == pytest.approx(average, abs=0.03 if (deviation > 0).sum() > 1 else 0.005)


def test_one_dimension_by_hand():
    """E max(0, b - X) of a standard normal X at b = 0 is 1/sqrt(2 pi)."""
    found = expected_gains(np.array([[0.5]]), np.array([[0.5], [0.2], [0.9]]), np.array([[0.1], [0.0], [0.0]]))
    assert found == pytest.approx([0.1 / math.sqrt(2 * math.pi), 0.3, 0.0], abs=1e-6)


def test_many_objectives_are_integrated_over_points():
    rng = np.random.default_rng(1)
    front, points = rng.uniform(0.3, 1, (6, EXACT + 1)), rng.uniform(0.1, 0.6, (5, EXACT + 1))
    found = expected_gains(front, points, np.zeros_like(points))
    assert found == pytest.approx([gain(front, point) for point in points], abs=0.03)
    assert (found == expected_gains(front, points, np.zeros_like(points))).all()
    doubtful = np.zeros_like(points)
    doubtful[:, 1] = 0.1
    draws = [points + doubtful * value for value in grid(0.0, 1.0, 40)]
    average = np.mean([[gain(front, point) for point in points] for points in draws], axis=0)
    assert expected_gains(front, points, doubtful) == pytest.approx(average, abs=0.03)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_an_empty_front_leaves_everything_to_gain(k):
    points = np.full((1, k), 0.5)
    assert expected_gains(np.empty((0, k)), points, np.zeros((1, k))) == pytest.approx([0.5**k], abs=0.02)
