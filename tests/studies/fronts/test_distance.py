"""IGD+ and the additive epsilon: closed forms, moocore, and what makes them fit for comparing fronts."""

import math

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from studies.fronts.distance import additive_epsilon, igd_plus

coarse = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
either = st.floats(0, 1, allow_subnormal=False) | coarse


def pairs_of_sets():
    def sets(width):
        one = hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(width)), elements=either)
        return st.tuples(one, one)

    return st.integers(2, 4).flatmap(sets)


@given(pairs_of_sets())
def test_both_agree_with_moocore(sets):
    points, reference = sets
    assert igd_plus(points, reference) == pytest.approx(moocore.igd_plus(points, ref=reference), abs=1e-12)
    theirs = moocore.epsilon_additive(points, ref=reference)
    assert additive_epsilon(points, reference) == pytest.approx(theirs, abs=1e-12)


def test_the_example_of_the_paper_prefers_the_better_set():
    reference = np.array([[10, 0], [6, 1], [2, 2], [1, 6], [0, 10]])
    better, worse = np.array([[4, 2], [3, 3], [2, 4]]), np.array([[8, 2], [4, 4], [2, 8]])
    # distances of the better set: 2, sqrt(1), sqrt(2), 1, 2; of the worse one: 2, sqrt(1), sqrt(8), 1, 2
    assert igd_plus(better, reference) == pytest.approx(np.mean([2, 1, math.sqrt(2), 1, 2]))
    assert igd_plus(worse, reference) == pytest.approx(2.260112615949154)


@pytest.mark.parametrize(
    ("points", "distance", "epsilon"),
    [
        ([[0.0, 1.0], [1.0, 0.0]], 0.0, 0.0),
        ([[0.0, 0.0]], 0.0, 0.0),
        ([[-0.5, -0.25]], 0.0, -0.25),
        ([[0.3, 1.4], [1.0, 0.0]], 0.25, 0.4),
        ([[1.0, 0.0]], 0.5, 1.0),
    ],
)
def test_by_hand(points, distance, epsilon):
    reference = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert igd_plus(np.array(points), reference) == pytest.approx(distance)
    assert additive_epsilon(np.array(points), reference) == pytest.approx(epsilon)


@given(pairs_of_sets(), st.floats(0, 1))
def test_a_set_that_dominates_is_never_further_away(sets, loss):
    points, reference = sets
    for measure in (igd_plus, additive_epsilon):
        assert measure(points, reference) <= measure(points + loss, reference) + 1e-12
        assert measure(np.vstack([points, reference]), reference) <= 0.0


def test_no_points_are_infinitely_far():
    for measure in (igd_plus, additive_epsilon):
        assert measure(np.empty((0, 2)), np.zeros((1, 2))) == math.inf


@pytest.mark.parametrize(
    ("points", "reference", "said"),
    [
        ([[0.0, 0.0]], np.empty((0, 2)), "reference"),
        ([[0.0, 0.0]], [0.0, 0.0], "reference"),
        ([[0.0]], [[0.0, 0.0]], "n x 2"),
        ([[np.nan, 0.0]], [[0.0, 0.0]], "NaN"),
        ([[0.0, 0.0]], [[0.0, np.nan]], "NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(points, reference, said):
    for measure in (igd_plus, additive_epsilon):
        with pytest.raises(ValueError, match=said):
            measure(np.array(points), np.array(reference))
