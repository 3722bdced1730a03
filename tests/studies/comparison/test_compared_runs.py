"""Runs side by side: by hand, and against a walk through every event."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.comparison.runs import COLUMNS, held_volumes, last_common, reach_of, spread_of

FAST = [(1, 2.0, 0.2), (2, 4.0, 0.2), (3, 6.0, 0.6)]
SLOW = [(1, 5.0, 0.4), (2, 10.0, 0.5), (3, 15.0, 0.5), (4, 20.0, 0.8)]

steps = st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.1, 0.3]))
runs = st.lists(steps, min_size=1, max_size=8).map(
    lambda some: [(i + 1, sum(s for s, _ in some[: i + 1]), sum(v for _, v in some[: i + 1])) for i in range(len(some))]
)


def walked(run, place, axis):
    """What the run had, by going through its events."""
    volume = 0.0
    for event in run:
        if event[COLUMNS[axis]] <= place:
            volume = event[2]
    return volume


def test_a_run_holds_its_hypervolume_between_events_and_after_the_last():
    assert held_volumes(FAST, [0, 0.9, 1, 2.5, 3, 99], "evaluations").tolist() == [0, 0, 0.2, 0.2, 0.6, 0.6]
    assert held_volumes(SLOW, [4.9, 5.0, 19.0, 20.0], "seconds").tolist() == [0, 0.4, 0.5, 0.8]
    assert held_volumes([], [0, 1], "seconds").tolist() == [0, 0]


@given(runs, st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 3.5]), max_size=5), st.sampled_from([*COLUMNS]))
def test_what_is_held_is_what_a_walk_finds(run, places, axis):
    assert held_volumes(run, places, axis).tolist() == [walked(run, place, axis) for place in places]


def test_curves_end_where_the_shortest_run_does():
    assert last_common([FAST, SLOW], "evaluations") == 3
    assert last_common([FAST, SLOW], "seconds") == 6.0
    assert last_common([FAST, []], "seconds") == 0.0
    assert spread_of([FAST, SLOW], "evaluations").places.tolist() == [0, 1, 2, 3]
    assert spread_of([FAST, SLOW], "seconds").places.tolist() == [0, 2, 4, 5, 6]


def test_mean_and_quartiles_by_hand():
    found = spread_of([FAST, SLOW], "seconds")
    assert found.mean == pytest.approx(np.array([0, 0.1, 0.1, 0.3, 0.5]))
    assert found.low == pytest.approx(np.array([0, 0.05, 0.05, 0.25, 0.45]))
    assert found.high == pytest.approx(np.array([0, 0.15, 0.15, 0.35, 0.55]))
    late = spread_of([FAST, SLOW, SLOW], "evaluations", [4])
    assert (late.mean[0], late.low[0], late.high[0]) == pytest.approx((2.2 / 3, 0.7, 0.8))


@given(st.lists(runs, min_size=1, max_size=5), st.sampled_from([*COLUMNS]))
def test_between_the_places_nothing_changes_and_quartiles_enclose_the_median(several, axis):
    found = spread_of(several, axis)
    between = (found.places[:-1] + found.places[1:]) / 2
    assert spread_of(several, axis, between).mean == pytest.approx(found.mean[:-1])
    volumes = np.array([[walked(run, place, axis) for place in found.places] for run in several])
    assert found.mean == pytest.approx(volumes.mean(axis=0))
    middle = np.median(volumes, axis=0)
    assert (found.low <= middle + 1e-12).all()
    assert (middle <= found.high + 1e-12).all()


def test_when_a_level_is_reached():
    both = reach_of([FAST, SLOW], 0.5)
    assert (both.evaluations, both.seconds, both.runs) == (2.5, 8.0, 2)
    most = reach_of([FAST, SLOW, SLOW], 0.7)
    assert (most.evaluations, most.seconds, most.runs) == (4, 20.0, 2)


def test_a_level_that_half_of_the_runs_never_reach_is_infinitely_far():
    half = reach_of([FAST, SLOW], 0.7)
    assert (half.evaluations, half.seconds, half.runs) == (math.inf, math.inf, 1)
    assert reach_of([FAST], 0.7).runs == 0


def test_no_level_is_reached_where_no_run_had_any_hypervolume():
    flat = [(1, 2.0, 0.0), (2, 4.0, 0.0)]
    assert reach_of([flat, flat], 0.0).runs == 0
    assert reach_of([flat, FAST], 0.0).runs == 1
