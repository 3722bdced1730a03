"""Means, standard errors and differences, against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from studies.averages import average
from studies.papers.statistics import Cell, make_cell

HITS = st.lists(st.integers(0, 50), min_size=1, max_size=6)


@given(HITS)
def test_a_cell_is_the_mean_with_both_sources_of_error(hits):
    measurements = [Measurement.fraction(count, 50) for count in hits]
    cell = make_cell(40.0, measurements, 0.01)
    shares = np.array(hits) / 50
    images = np.mean(shares * (1 - shares) / 50)
    trainings = np.var(shares, ddof=1) / len(hits) if len(hits) > 1 else 0.0
    assert cell.measured == pytest.approx(100 * shares.mean())
    assert cell.stderr == pytest.approx(100 * np.sqrt(images + trainings))
    assert cell.difference == pytest.approx(100 * shares.mean() - 40)
    assert (cell.seeds, cell.images) == (len(hits), 50)


def test_one_seed_has_the_binomial_error():
    assert make_cell(None, [Measurement.fraction(20, 80)], 0.01).stderr == pytest.approx(
        100 * (0.25 * 0.75 / 80) ** 0.5
    )


def test_what_is_exact_has_no_error():
    exact = Measurement(value=25.95e8, unit="bit-ops")
    assert make_cell(None, [exact, exact, exact], 1e8).stderr == 0.0
    cell = make_cell(25.95, [exact], 1e8)
    assert (cell.measured, cell.difference, cell.images) == (25.95, 0.0, 0)


def test_more_seeds_shrink_only_the_part_of_the_trainings():
    few = [Measurement.fraction(hits, 100) for hits in (40, 60)]
    many, pair, single = (make_cell(None, one, 0.01).stderr for one in (few * 50, few, few[:1]))
    assert 0.99 * single < many < pair


@pytest.mark.parametrize(("published", "measured"), [(None, 3.0), (3.0, None), (None, None)])
def test_half_a_pair_has_no_difference(published, measured):
    assert Cell(published=published, measured=measured).difference is None


def test_nothing_measured_keeps_the_published_figure():
    assert make_cell(12.5, [], 0.01) == Cell(published=12.5)


def test_the_interval_of_what_nothing_stands_has_a_width_and_stays_within_all():
    """Standard errors to either side have none there, and reach beyond 0 and 100 % beside it."""
    assert make_cell(0.81, [Measurement.fraction(0, 200)], 0.01).interval == pytest.approx((0.0, 1.885), abs=1e-3)
    low, high = make_cell(0.81, [Measurement.fraction(1, 200)], 0.01).interval
    assert 0 < low < 0.5 < high < 3
    assert make_cell(None, [Measurement(value=25.95e8, unit="bit-ops")], 1e8).interval is None
    assert make_cell(12.5, [], 0.01).interval is None


def test_the_interval_of_two_trainings_is_that_of_their_mean():
    runs = [Measurement.fraction(hits, 1000) for hits in (300, 400)]
    low, high = average(runs).interval
    assert make_cell(None, runs, 0.01).interval == (low / 0.01, high / 0.01)
