"""What a measurement that costs an attack will probably be, from those that were made."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.fronts.pareto import Floats

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""By which the numbers of a group may be stretched: what hardly matters is shrunk, what decides is stretched."""

NOISES = (0.02, 0.1, 0.3)
"""Shares of the variance that no design explains."""

RESTRAINT = 0.2
"""Log likelihood that it takes to double or halve a group's scale."""

ROUNDS = 2
"""Times that every scale is chosen, given the others."""

JUDGED = 60
"""Latest designs by which scales and noise are chosen."""

LEAST_SPREAD = 1e-3
"""Least standard deviation that values are taken to have."""

Group = Sequence[int]
"""Columns of designs that have one scale."""


@dataclass(frozen=True)
class Prediction:
    """What was learned from measured designs: a Gaussian process (Rasmussen and Williams 2006, algorithm 2.1).

    Its mean is that of the values, its covariance falls with the squared distance between designs. How much each
    group of numbers counts in it is learned as well (automatic relevance determination, ibid. section 5.1).

    Attributes:
        designs: n × f, scaled.
        inverse: of the Cholesky factor of the covariance of what was measured, n × n.
        weights: of the measurements, n.
        scales: of the columns, f, each of SCALES.
        noise: of NOISES.
        centre, spread: mean and standard deviation of the values.
    """

    designs: Floats
    inverse: Floats
    weights: Floats
    scales: Floats
    noise: float
    centre: float
    spread: float

    @classmethod
    def learn(cls, designs: Floats, values: Floats, groups: Sequence[Group]) -> "Prediction":
        """Learn from n >= 1 designs (n × f numbers, each of the order of 1) and their values (n).

        Args:
            designs, values: the latest last.
            groups: of columns that have one scale; every column is in one of them.
        """
        centre, spread = float(values.mean()), max(float(values.std()), LEAST_SPREAD)
        standard = (values - centre) / spread
        scales, noise = _likeliest(designs[-JUDGED:], standard[-JUDGED:], groups)
        scaled = designs * scales
        inverse = np.linalg.inv(np.linalg.cholesky(_covariance(_squares(scaled, scaled), noise)))
        return cls(scaled, inverse, inverse.T @ (inverse @ standard), scales, noise, centre, spread)

    def of(self, designs: Floats) -> tuple[Floats, Floats]:
        """Expected value of each of m designs, and the standard deviation of what would be measured."""
        alike = _alike(_squares(designs * self.scales, self.designs), self.noise)
        explained = ((alike @ self.inverse.T) ** 2).sum(axis=1)
        return self.centre + self.spread * alike @ self.weights, self.spread * np.sqrt(np.maximum(1 - explained, 0.0))


def _likeliest(designs: Floats, standard: Floats, groups: Sequence[Group]) -> tuple[Floats, float]:
    """Scales of the columns and the noise under which the values are likeliest, found one by one.

    Only groups that set designs apart are looked at.
    """
    apart = [(group, _squares(part, part)) for group in groups if np.ptp(part := designs[:, group], axis=0).any()]
    own, noise = np.ones(len(apart)), NOISES[1]
    parts = np.array([squares for _, squares in apart]).reshape(len(apart), len(designs), len(designs))
    for _ in range(ROUNDS):
        for place in range(len(apart)):
            others = np.tensordot(np.where(np.arange(len(apart)) == place, 0.0, own) ** 2, parts, 1)
            found = [others + scale**2 * parts[place] for scale in SCALES]
            restraint = RESTRAINT * np.log2(SCALES) ** 2
            own[place] = SCALES[int(np.argmax(_likelihoods(np.array(found), standard, [noise]) - restraint))]
        together = np.tensordot(own**2, parts, 1)[None]
        noise = NOISES[int(np.argmax(_likelihoods(together, standard, NOISES)))]
    scales = np.ones(designs.shape[1])
    for (group, _), scale in zip(apart, own, strict=True):
        scales[list(group)] = scale
    return scales, noise


def _likelihoods(squares: Floats, standard: Floats, noises: Sequence[float]) -> Floats:
    """Log marginal likelihoods of the values at each of some squared distances or noises, up to a constant."""
    covariances = np.array([_covariance(one, noise) for one in squares for noise in noises])
    factors = np.linalg.cholesky(covariances)
    solved = np.linalg.solve(factors, np.broadcast_to(standard[:, None], (len(factors), len(standard), 1)))
    diagonals = np.diagonal(factors, axis1=1, axis2=2)
    return np.asarray(-(solved[..., 0] ** 2).sum(axis=1) / 2 - np.log(diagonals).sum(axis=1), dtype=np.float64)


def _covariance(squares: Floats, noise: float) -> Floats:
    """Of what was measured at these squared distances, noise included."""
    return _alike(squares, noise) + noise * np.eye(len(squares))


def _alike(squares: Floats, noise: float) -> Floats:
    """Covariance of designs at these squared distances, noise aside."""
    return np.asarray((1.0 - noise) * np.exp(-squares / 2), dtype=np.float64)


def _squares(one: Floats, other: Floats) -> Floats:
    """Squared distances, n × m."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0), dtype=np.float64)
