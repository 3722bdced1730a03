"""Predictions against the textbook's formulas, and against what then turned out."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studies.prediction import JUDGED, LEAST_SPREAD, LENGTHS, NOISES, Prediction


def designs(count, seed, width=4):
    return np.random.default_rng(seed).uniform(0, 1, (count, width))


def covariance(one, other, length, noise):
    """Written out, pair by pair."""
    return np.array(
        [[(1 - noise) * np.exp(-sum((a - b) ** 2) / (2 * length**2)) for b in other] for a in one],
    )


@given(st.integers(2, 20), st.integers(0, 10**6))
@example(2, 122)  # two values so close that the least spread counts
@settings(deadline=None, max_examples=30)
def test_the_posterior_is_that_of_the_inverted_covariance(count, seed):
    seen, asked = designs(count, seed), designs(5, seed + 1)
    values = np.random.default_rng(seed + 2).uniform(0, 1, count)
    learned = Prediction.learn(seen, values)
    mean, deviation = learned.of(asked)
    length, noise = learned.length, learned.noise
    inverse = np.linalg.inv(covariance(seen, seen, length, noise) + noise * np.eye(count))
    alike = covariance(asked, seen, length, noise)
    spread = max(values.std(), LEAST_SPREAD)
    standard = (values - values.mean()) / spread
    assert mean == pytest.approx(values.mean() + spread * alike @ inverse @ standard, abs=1e-7)
    variance = 1 - np.einsum("ij,jk,ik->i", alike, inverse, alike)
    assert deviation == pytest.approx(spread * np.sqrt(variance), abs=1e-7)


def test_length_and_noise_have_the_highest_likelihood():
    seen, rng = designs(JUDGED, 3), np.random.default_rng(4)
    values = np.sin(6 * seen[:, 0]) + 0.01 * rng.normal(size=len(seen))
    standard = (values - values.mean()) / values.std()

    def likelihood(length, noise):
        matrix = covariance(seen, seen, length, noise) + noise * np.eye(len(seen))
        return -standard @ np.linalg.solve(matrix, standard) / 2 - np.linalg.slogdet(matrix)[1] / 2

    learned = Prediction.learn(seen, values)
    best = max(((length, noise) for length in LENGTHS for noise in NOISES), key=lambda pair: likelihood(*pair))
    assert (learned.length, learned.noise) == best


def test_what_lies_close_is_known_well_and_what_lies_far_is_not():
    seen = designs(40, 5)
    values = seen[:, 0] - seen[:, 1] ** 2
    learned = Prediction.learn(seen, values)
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

    mean, deviation = Prediction.learn(seen, measure(seen)).of(asked)
    off = np.abs(measure(asked) - mean) / deviation
    assert 0.85 < (off < 2).mean() < 1
    assert (off < 1).mean() < 0.95


def test_values_that_are_all_alike_are_expected_again():
    learned = Prediction.learn(designs(6, 9), np.full(6, 0.25))
    mean, deviation = learned.of(designs(3, 10))
    assert mean == pytest.approx([0.25] * 3)
    assert (deviation < 0.01).all()
