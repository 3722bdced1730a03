"""Predictions against the textbook's formulas, and against what then turned out."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studies.proposals.prediction import JUDGED, LEAST_SPREAD, NOISES, RESTRAINT, SCALES, Prediction


def designs(count, seed, width=4):
    return np.random.default_rng(seed).uniform(0, 1, (count, width))


EACH = [range(place, place + 1) for place in range(4)]
"""Every number with a scale of its own."""


def covariance(one, other, scales, noise):
    """Written out, pair by pair."""
    return np.array(
        [[(1 - noise) * np.exp(-sum((scales * (a - b)) ** 2) / 2) for b in other] for a in one],
    )


def likelihood(seen, values, scales, noise):
    """With what is taken off for scales that are not 1."""
    standard = (values - values.mean()) / values.std()
    matrix = covariance(seen, seen, scales, noise) + noise * np.eye(len(seen))
    fit = -standard @ np.linalg.solve(matrix, standard) / 2 - np.linalg.slogdet(matrix)[1] / 2
    return fit - RESTRAINT * (np.log2(scales) ** 2).sum()


@given(st.integers(2, 20), st.integers(0, 10**6))
@example(2, 122)  # two values so close that the least spread counts
@settings(deadline=None, max_examples=30)
def test_the_posterior_is_that_of_the_inverted_covariance(count, seed):
    seen, asked = designs(count, seed), designs(5, seed + 1)
    values = np.random.default_rng(seed + 2).uniform(0, 1, count)
    learned = Prediction.learn(seen, values, EACH)
    mean, deviation = learned.of(asked)
    scales, noise = learned.scales, learned.noise
    inverse = np.linalg.inv(covariance(seen, seen, scales, noise) + noise * np.eye(count))
    alike = covariance(asked, seen, scales, noise)
    spread = max(values.std(), LEAST_SPREAD)
    standard = (values - values.mean()) / spread
    assert mean == pytest.approx(values.mean() + spread * alike @ inverse @ standard, abs=1e-7)
    variance = 1 - np.einsum("ij,jk,ik->i", alike, inverse, alike)
    assert deviation == pytest.approx(spread * np.sqrt(variance), abs=1e-7)


def test_no_other_scale_of_one_number_and_no_other_noise_is_likelier():
    seen, rng = designs(JUDGED, 3), np.random.default_rng(4)
    values = np.sin(6 * seen[:, 0]) + seen[:, 1] / 2 + 0.01 * rng.normal(size=len(seen))
    learned = Prediction.learn(seen, values, EACH)
    best = likelihood(seen, values, learned.scales, learned.noise)
    for place, scale in product(range(4), SCALES):
        others = [scale if place == one else own for one, own in enumerate(learned.scales)]
        assert likelihood(seen, values, np.array(others), learned.noise) <= best + 1e-9
    assert all(likelihood(seen, values, learned.scales, noise) <= best + 1e-9 for noise in NOISES)


def test_what_decides_is_stretched_and_what_does_not_is_shrunk():
    seen = designs(JUDGED, 11)
    learned = Prediction.learn(seen, np.sin(9 * seen[:, 2]), EACH)
    assert learned.scales[2] > 1
    assert (np.delete(learned.scales, 2) < 1).all()


def test_numbers_of_a_group_have_one_scale_and_such_as_are_all_alike_keep_theirs():
    seen = designs(JUDGED, 12)
    seen[:, 3] = 0.5
    learned = Prediction.learn(seen, np.sin(9 * seen[:, 0]), [range(2), range(2, 3), range(3, 4)])
    assert learned.scales[0] == learned.scales[1] > 1
    assert learned.scales[3] == 1


def test_a_cliff_along_one_number_is_learned_from_few_designs():
    """As accuracy under attack falls from one input width to the next; one distance for all does not see it."""
    seen, asked = designs(25, 13, width=8), designs(500, 14, width=8)

    def measure(some):
        return np.where(some[:, 0] < 0.4, 0.8, 0.05) + 0.1 * some[:, 1]

    each = [range(place, place + 1) for place in range(8)]

    def error(groups):
        return np.sqrt(((Prediction.learn(seen, measure(seen), groups).of(asked)[0] - measure(asked)) ** 2).mean())

    assert error(each) < 0.6 * error([range(8)])


def test_what_lies_close_is_known_well_and_what_lies_far_is_not():
    seen = designs(40, 5)
    values = seen[:, 0] - seen[:, 1] ** 2
    learned = Prediction.learn(seen, values, EACH)
    near, far = learned.of(seen[:5] + 0.001), learned.of(seen[:5] + 50)
    assert near[0] == pytest.approx(values[:5], abs=0.1)
    assert far[0] == pytest.approx([values.mean()] * 5)
    assert (far[1] > 3 * near[1]).all()
    assert far[1] == pytest.approx([values.std()] * 5)


def test_errors_are_as_large_as_they_are_said_to_be():
    """Of a thousand predictions, most lie within two deviations of what is measured, and not all by far."""
    seen, asked = designs(60, 6), designs(1000, 7)
    rng = np.random.default_rng(8)

    def measure(some):
        return np.sin(4 * some[:, 0]) * some[:, 1] + 0.05 * rng.normal(size=len(some))

    mean, deviation = Prediction.learn(seen, measure(seen), EACH).of(asked)
    off = np.abs(measure(asked) - mean) / deviation
    assert 0.85 < (off < 2).mean() < 1
    assert (off < 1).mean() < 0.95


def test_values_that_are_all_alike_are_expected_again():
    learned = Prediction.learn(designs(6, 9), np.full(6, 0.25), EACH)
    mean, deviation = learned.of(designs(3, 10))
    assert mean == pytest.approx([0.25] * 3)
    assert (deviation < 0.01).all()
