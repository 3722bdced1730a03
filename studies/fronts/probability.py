"""How sure it is that a record is on the front, given the errors of what was measured: a parametric bootstrap."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluators.objectives import find_objectives
from evaluators.seeds import number
from studies.fronts.pareto import Floats, non_dominated
from studies.records import Record, errors_of, feasible_records, values_of
from studies.terms import USUAL, Terms

DRAWS = 1000
"""Sets of values drawn; a probability has a standard error of at most 0.016."""

AT_ONCE = 32
"""Points that one point is compared with in one go."""

JITTER = 1e-9
"""Keeps the correlation of two fractions that are equal in every respect from being singular."""


def front_probability(
    records: Iterable[Record], objectives: Sequence[str], terms: Terms = USUAL, seed: int = 0
) -> dict[int, float]:
    """In which share of redrawn measurements each record is on the front.

    Records are drawn independently of each other, though they answer the same images: what is hard for one is mostly
    hard for the other, so that differences are surer than this says. It errs on the side of doubt. What all images
    agree on (a share of 0 or 1) and costs stay as they are in every draw, and so does what the terms admit.

    Args:
        records: of one study, any states.
        objectives: names; every complete record has a measurement of each.
        terms: what a record must meet, by its measured values.
        seed: of the study; a record's draws follow from it and the record's key, whatever others there are.
    Returns: by number, for every record that could be on the front, 0 to 1.
    """
    if not (feasible := feasible_records(records, terms)):
        return {}
    draws = Draws(feasible, objectives, seed)
    hopeful = np.flatnonzero(~_always_beaten(*draws.corners())).tolist()
    shares = np.zeros(len(feasible))
    shares[hopeful] = undominated(draws.of(hopeful)).mean(axis=1)
    return {record.number: float(share) for record, share in zip(feasible, shares, strict=True)}


class Draws:
    """Values that records might have had on other images of the same kind, as losses.

    They are normal with the records' errors; none under attack exceeds the clean accuracy, no fraction leaves [0, 1].

    Args:
        records: n, with a measurement of each objective.
        objectives: k names.
        seed: of the study.
    """

    def __init__(self, records: Sequence[Record], objectives: Sequence[str], seed: int = 0) -> None:
        self._keys, self._seed = [record.key for record in records], seed
        self._values, self._errors = values_of(records, objectives), errors_of(records, objectives)
        self._roots = np.linalg.cholesky(correlation(self._values, self._errors))
        known = find_objectives(objectives)
        self._signs = np.array([[-1.0 if one.maximize else 1.0] for one in known])
        self._fractions = [one.unit == "fraction" for one in known]
        self._attacked = [one.stage == "attack" and "acc" in objectives for one in known]
        self._clean = objectives.index("acc") if "acc" in objectives else 0

    def of(self, indices: Sequence[int]) -> Floats:
        """Losses of some of the records, k × m × DRAWS."""
        losses = np.empty((len(self._signs), len(indices), DRAWS))
        for place, index in enumerate(indices):
            losses[:, place] = self._of(index)
        return losses

    def corners(self) -> tuple[Floats, Floats]:
        """The best and the worst that each record was drawn, objective by objective; n × k each."""
        extremes = [(one.min(axis=1), one.max(axis=1)) for one in map(self._of, range(len(self._keys)))]
        best, worst = np.array(extremes).reshape(len(extremes), 2, -1).swapaxes(0, 1)
        return best, worst

    def _of(self, index: int) -> Floats:
        stream = np.random.default_rng(number(self._seed, "front probability", self._keys[index]))
        noise = self._roots[index] @ stream.standard_normal((len(self._signs), DRAWS))
        drawn = self._values[index, :, None] + self._errors[index, :, None] * noise
        drawn[self._fractions] = drawn[self._fractions].clip(0.0, 1.0)
        drawn[self._attacked] = np.minimum(drawn[self._attacked], drawn[self._clean])
        return np.asarray(drawn * self._signs, dtype=np.float64)


def correlation(values: Floats, errors: Floats) -> Floats:
    """Correlation of the shares that one network has, where the images of the lower lie among those of the higher.

    Of shares p < q of one sample, one within the other, the covariance is p(1 - q)/n, so their correlation is the root
    of the ratio of their odds; where the samples are nested too, the root of the ratio of their sizes is a factor.
    Sizes follow from the errors, n = p(1 - p)/error².

    Args:
        values, errors: n × k; what has no error is correlated with nothing.
    Returns: n × k × k, positive definite.
    """
    noisy = (errors > 0) & (values > 0) & (values < 1)
    p, error = np.where(noisy, values, 0.5), np.where(noisy, errors, 1.0)
    hit, missed = np.log(p), np.log1p(-p)
    places = np.stack([hit - missed, hit + missed - 2 * np.log(error)])
    apart = np.abs(places[..., :, None] - places[..., None, :]).sum(axis=0)
    shared = np.where(noisy[:, :, None] & noisy[:, None, :], np.exp(-apart / 2), 0.0)
    return np.asarray(np.where(np.eye(values.shape[1]), 1.0 + JITTER, shared), dtype=np.float64)


def _always_beaten(best: Floats, worst: Floats) -> NDArray[np.bool_]:
    """Which points are, at their best, still beaten by another's worst: in every draw, and so is what they beat."""
    strong = worst[non_dominated(worst, [False] * worst.shape[1])].T[:, :, None]
    parts = np.array_split(best, max(1, len(best) // AT_ONCE))
    return np.concatenate([_beats(strong, part.T[:, None]).any(axis=0) for part in parts])


def undominated(losses: Floats) -> NDArray[np.bool_]:
    """Mark in each draw the points that no other dominates.

    Args:
        losses: k × n × draws; equal points are all kept.
    Returns: n × draws.
    """
    best, worst = losses.min(axis=2), losses.max(axis=2)
    strong = non_dominated(losses.mean(axis=2).T, [False] * len(losses))
    alive = np.ones(losses.shape[1:], dtype=bool)
    for point in range(len(alive)):
        rivals = np.flatnonzero((best <= worst[:, point, None]).all(axis=0))
        rivals = rivals[np.argsort(~strong[rivals], kind="stable")]  # most draws are lost to the first of them
        for start in range(0, len(rivals), AT_ONCE):
            some, where = rivals[start : start + AT_ONCE, None], np.flatnonzero(alive[point])
            alive[point, where] = ~_beats(losses[:, some, where], losses[:, [[point]], where]).any(axis=0)
    return alive


def _beats(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Whether `one` is nowhere worse and somewhere better; the first axis are the objectives."""
    shape = np.broadcast_shapes(one.shape, other.shape)[1:]
    nowhere_worse, nowhere_better = np.ones(shape, dtype=bool), np.ones(shape, dtype=bool)
    for mine, theirs in zip(one, other, strict=True):
        nowhere_worse &= mine <= theirs
        nowhere_better &= mine >= theirs
    return nowhere_worse & ~nowhere_better
