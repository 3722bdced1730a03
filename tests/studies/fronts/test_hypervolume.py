"""The hypervolume by four routes: inclusion-exclusion, Optuna's, moocore's, and by hand."""

from itertools import chain, combinations

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from optuna._hypervolume import compute_hypervolume

from studies.fronts.hypervolume import hypervolume

unit = st.floats(0, 1, allow_subnormal=False)
coarse = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def point_sets(elements, size, dimensions):
    return st.integers(1, dimensions).flatmap(
        lambda k: hnp.arrays(np.float64, st.tuples(st.integers(1, size), st.just(k)), elements=elements)
    )


def inclusion_exclusion(points, corner):
    """Sum over non-empty subsets, odd sizes plus and even ones minus, of the box they all dominate."""
    subsets = chain.from_iterable(combinations(points, size) for size in range(1, len(points) + 1))
    boxes = ((len(subset), np.clip(corner - np.max(subset, axis=0), 0, None).prod()) for subset in subsets)
    return sum(-((-1) ** size) * box for size, box in boxes)


@given(point_sets(unit | coarse, 7, 5))
def test_agrees_with_inclusion_exclusion(points):
    corner = np.ones(points.shape[1])
    assert hypervolume(points, corner) == pytest.approx(inclusion_exclusion(points, corner), abs=1e-12)


@given(point_sets(unit | coarse, 25, 4), st.floats(1.0, 3.0))
def test_agrees_with_optuna(points, edge):
    corner = np.full(points.shape[1], edge)
    assert hypervolume(points, corner) == pytest.approx(compute_hypervolume(points, corner), abs=1e-9)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 60), st.integers(2, 3)), elements=coarse | unit | st.floats(0, 1.5))
)
def test_agrees_with_moocore_on_ties_repeats_and_points_at_or_past_the_reference(points):
    corner = np.ones(points.shape[1])
    assert hypervolume(points, corner) == pytest.approx(moocore.hypervolume(points, ref=corner), abs=1e-12)


@pytest.mark.parametrize(("count", "rounded"), [(300, 8), (300, 1), (2000, 8)])
def test_agrees_with_moocore_on_large_sets(count, rounded):
    points = np.random.default_rng(count + rounded).normal(size=(count, 3))
    points = np.round(np.abs(points) / np.linalg.norm(points, axis=1, keepdims=True), rounded)
    corner = np.array([1.0, 1.1, 0.9])
    assert hypervolume(points, corner) == pytest.approx(moocore.hypervolume(points, ref=corner), rel=1e-12)


def test_a_grid_of_cells_holds_the_share_that_the_volume_says():
    points = np.random.default_rng(0).integers(0, 8, size=(12, 3)) / 8
    corners = np.stack(np.meshgrid(*[np.arange(8) / 8] * 3), axis=-1).reshape(-1, 1, 3)
    dominated = (points <= corners).all(axis=2).any(axis=1)
    assert hypervolume(points, np.ones(3)) == dominated.mean()


@given(point_sets(unit | coarse, 8, 4), st.data())
def test_order_repeats_and_dominated_points_change_nothing(points, data):
    corner = np.ones(points.shape[1])
    order = data.draw(st.permutations(range(len(points))))
    worse = np.minimum(points + 0.125, 1.0)
    more = np.vstack([points[order], points, worse])
    assert hypervolume(more, corner) == pytest.approx(hypervolume(points, corner), abs=1e-12)


@pytest.mark.parametrize(
    ("points", "corner", "volume"),
    [
        ([[0.25]], [1.0], 0.75),
        ([[0.0, 0.5], [0.5, 0.0]], [1.0, 1.0], 0.75),
        ([[0.0, 0.0, 0.5], [0.5, 0.5, 0.0]], [1.0, 1.0, 1.0], 0.625),
        ([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]], [1.0, 1.0, 1.0], 0.5),
        ([[0.5, 0.5, 0.5]] * 3, [1.0, 1.0, 1.0], 0.125),
        ([[0.0] * 6], [2.0] * 6, 64.0),
        ([[1.0, 0.0], [0.0, 1.0], [2.0, -5.0]], [1.0, 1.0], 0.0),
    ],
)
def test_by_hand(points, corner, volume):
    assert hypervolume(np.array(points), corner) == pytest.approx(volume)


def test_no_points_dominate_nothing():
    assert hypervolume(np.empty((0, 3)), [1.0, 1.0, 1.0]) == 0.0


@pytest.mark.parametrize("points", [[[np.nan, 0.0]], [[-np.inf, 0.0]], [[0.0]]])
def test_what_has_no_volume_is_refused(points):
    with pytest.raises(ValueError, match=r"NaN|finite|n x 2"):
        hypervolume(np.array(points), [1.0, 1.0])


@pytest.mark.parametrize("corner", [[], [[1.0]], [np.inf], [1.0, np.inf]])
def test_a_reference_must_be_a_finite_corner(corner):
    with pytest.raises(ValueError, match=r"reference|finite"):
        hypervolume(np.zeros((1, len(corner))), corner)
