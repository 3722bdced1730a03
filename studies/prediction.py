"""What a measurement that costs an attack will probably be, from those that were made."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from studies.pareto import Floats

LENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
"""Distances between designs over which values are alike; the likeliest is taken."""

NOISES = (0.02, 0.1, 0.3)
"""Shares of the variance that no design explains; the likeliest is taken."""

JUDGED = 60
"""Latest designs by which length and noise are chosen."""

LEAST_SPREAD = 1e-3
"""Least standard deviation that values are taken to have."""


@dataclass(frozen=True)
class Prediction:
    """What was learned from measured designs: a Gaussian process (Rasmussen and Williams 2006, algorithm 2.1).

    Its mean is that of the values, its covariance falls with the squared distance between designs.

    Attributes:
        designs: n × f.
        inverse: of the Cholesky factor of the covariance of what was measured, n × n.
        weights: of the measurements, n.
        length, noise: of LENGTHS and NOISES, the pair with the highest marginal likelihood.
        centre, spread: mean and standard deviation of the values.
    """

    designs: Floats
    inverse: Floats
    weights: Floats
    length: float
    noise: float
    centre: float
    spread: float

    @classmethod
    def learn(cls, designs: Floats, values: Floats) -> "Prediction":
        """Learn from n >= 1 designs (n × f numbers, each of the order of 1) and their values (n)."""
        centre, spread = float(values.mean()), max(float(values.std()), LEAST_SPREAD)
        standard, squares = (values - centre) / spread, _squares(designs, designs)
        some, theirs = squares[-JUDGED:, -JUDGED:], standard[-JUDGED:]
        length, noise = max(product(LENGTHS, NOISES), key=lambda pair: _likelihood(some, theirs, *pair))
        inverse = np.linalg.inv(np.linalg.cholesky(_covariance(squares, length, noise)))
        return cls(designs, inverse, inverse.T @ (inverse @ standard), length, noise, centre, spread)

    def of(self, designs: Floats) -> tuple[Floats, Floats]:
        """Expected value of each of m designs, and the standard deviation of what would be measured."""
        alike = _alike(_squares(designs, self.designs), self.length, self.noise)
        explained = ((alike @ self.inverse.T) ** 2).sum(axis=1)
        return self.centre + self.spread * alike @ self.weights, self.spread * np.sqrt(np.maximum(1 - explained, 0.0))


def _likelihood(squares: Floats, standard: Floats, length: float, noise: float) -> float:
    """Log marginal likelihood of the values, up to a constant."""
    factor = np.linalg.cholesky(_covariance(squares, length, noise))
    return float(-(np.linalg.solve(factor, standard) ** 2).sum() / 2 - np.log(np.diag(factor)).sum())


def _covariance(squares: Floats, length: float, noise: float) -> Floats:
    """Of what was measured at these squared distances, noise included."""
    return _alike(squares, length, noise) + noise * np.eye(len(squares))


def _alike(squares: Floats, length: float, noise: float) -> Floats:
    """Covariance of designs at these squared distances, noise aside."""
    return np.asarray((1.0 - noise) * np.exp(-squares / (2 * length**2)), dtype=np.float64)


def _squares(one: Floats, other: Floats) -> Floats:
    """Squared distances, n × m."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0), dtype=np.float64)
