"""Which values several runs reach: the empirical attainment function (Grunert da Fonseca et al., 2001)."""

from collections.abc import Sequence

import numpy as np

from studies.fronts.pareto import Floats, as_points


def attained_share(fronts: Sequence[Floats], places: Floats) -> Floats:
    """Share of the runs that reach each place: that have a point at least as good in every objective.

    Args:
        fronts: one n x k array of points per run, at least one run; every objective is minimised.
        places: m x k.
    Returns: m shares from 0 to 1.
    Raises: ValueError for NaN, without runs, or when the shapes do not agree.
    """
    places = np.asarray(places, dtype=np.float64)
    fronts = _checked(fronts, places.shape[-1])
    reached = [(front <= place).all(axis=1).any() for place in as_points(places, places.shape[-1]) for front in fronts]
    shares: Floats = np.array(reached, dtype=np.float64).reshape(len(places), len(fronts)).mean(axis=1)
    return shares


def attainment_surface(fronts: Sequence[Floats], runs: int) -> Floats:
    """Corners of the staircase that bounds what at least so many of the runs reach; exact, for two objectives.

    Args:
        fronts: one n x 2 array of points per run, at least one run; both objectives are minimised.
        runs: how many of the runs, 1 to their number.
    Returns: m x 2 by rising first and falling second objective, none dominated; empty where too few runs have points.
    Raises: ValueError for NaN, for another number of runs or of objectives.
    """
    fronts = _checked(fronts, 2)
    if not 1 <= runs <= len(fronts):
        raise ValueError(f"expected 1 to {len(fronts)} runs, got {runs}")
    across = np.unique(np.concatenate([front[:, 0] for front in fronts]))
    reached = np.sort([_lowest(front, across) for front in fronts], axis=0)[runs - 1]
    before = np.concatenate([[np.inf], reached[:-1]])
    corners = reached < before
    return np.stack([across[corners], reached[corners]], axis=1)


def _lowest(front: Floats, across: Floats) -> Floats:
    """The lowest second objective of the points whose first is at most each of `across`; infinity where none is."""
    front = front[np.argsort(front[:, 0], kind="stable")]
    stairs = np.concatenate([[np.inf], np.minimum.accumulate(front[:, 1])])
    lowest: Floats = stairs[np.searchsorted(front[:, 0], across, side="right")]
    return lowest


def _checked(fronts: Sequence[Floats], width: int) -> list[Floats]:
    if not len(fronts):
        raise ValueError("expected the points of at least one run")
    return [as_points(front, width) for front in fronts]
