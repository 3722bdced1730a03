"""What so many of the runs reach: by hand, by counting on a grid, and moocore's."""

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from studies.fronts.attainment import attained_share, attainment_surface

levels = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def several_runs(width, elements):
    one = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.just(width)), elements=elements)
    return st.lists(one, min_size=1, max_size=5)


def theirs(fronts, runs):
    """moocore's surface of `runs` of the fronts, by the first objective."""
    points = np.vstack(fronts)
    sets = np.repeat(np.arange(len(fronts)), [len(front) for front in fronts])
    surface = moocore.eaf(points, sets=sets, percentiles=[100 * runs / len(fronts)])[:, :-1]
    return surface[np.lexsort(surface.T[::-1])]


@given(several_runs(2, levels | st.floats(0, 1, allow_subnormal=False)))
def test_every_surface_of_two_objectives_is_moocores(fronts):
    for runs in range(1, len(fronts) + 1):
        np.testing.assert_array_equal(attainment_surface(fronts, runs), theirs(fronts, runs))


@given(several_runs(2, levels))
def test_what_lies_beyond_a_surface_is_what_so_many_runs_reach(fronts):
    grid = np.stack(np.meshgrid(*[np.arange(-1, 10) / 8] * 2), axis=-1).reshape(-1, 2)
    shares = attained_share(fronts, grid)
    for runs in range(1, len(fronts) + 1):
        beyond = attained_share([attainment_surface(fronts, runs)], grid)
        np.testing.assert_array_equal(beyond == 1.0, shares * len(fronts) > runs - 0.5)


@given(several_runs(3, levels))
def test_moocores_surfaces_of_three_objectives_are_reached_by_as_many_runs_and_nothing_below_them(fronts):
    for runs in range(1, len(fronts) + 1):
        surface = theirs(fronts, runs)
        assert (attained_share(fronts, surface) * len(fronts) > runs - 0.5).all()
        for axis in np.eye(3):
            assert (attained_share(fronts, surface - axis / 8) * len(fronts) < runs - 0.5).all()


def test_two_crossing_runs_by_hand():
    fronts = [np.array([[0.0, 0.5], [0.5, 0.0]]), np.array([[0.25, 0.25]])]
    assert attainment_surface(fronts, 1).tolist() == [[0.0, 0.5], [0.25, 0.25], [0.5, 0.0]]
    assert attainment_surface(fronts, 2).tolist() == [[0.25, 0.5], [0.5, 0.25]]
    assert attained_share(fronts, np.array([[0.25, 0.5], [0.25, 0.25], [0.0, 0.0]])).tolist() == [1.0, 0.5, 0.0]


def test_a_run_without_points_reaches_nothing():
    fronts = [np.array([[0.0, 0.0]]), np.empty((0, 2))]
    assert attainment_surface(fronts, 1).tolist() == [[0.0, 0.0]]
    assert attainment_surface(fronts, 2).shape == (0, 2)
    assert attained_share(fronts, np.zeros((1, 2))).tolist() == [0.5]
    assert attained_share(fronts, np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("fronts", "runs", "said"),
    [
        ([], 1, "at least one run"),
        ([np.zeros((1, 2))], 0, "1 to 1 runs"),
        ([np.zeros((1, 2))], 2, "1 to 1 runs"),
        ([np.zeros((1, 3))], 1, "n x 2"),
        ([np.array([[np.nan, 0.0]])], 1, "NaN"),
    ],
)
def test_what_has_no_surface_is_refused(fronts, runs, said):
    with pytest.raises(ValueError, match=said):
        attainment_surface(fronts, runs)


def test_places_of_another_width_are_refused():
    with pytest.raises(ValueError, match="n x 3"):
        attained_share([np.zeros((1, 2))], np.zeros((1, 3)))
