"""Runs side by side: what they had after so many evaluations or seconds, and how far runs of a kind lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np

from studies.fronts.pareto import Floats

Run = Sequence[tuple[float, float, float]]
"""Evaluations so far, running seconds so far, and hypervolume from then on; one entry per event, never falling."""

Axis = Literal["evaluations", "seconds"]
COLUMNS: dict[Axis, int] = {"evaluations": 0, "seconds": 1}


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Hypervolume of several runs at some places; arrays of one length.

    Attributes:
        places: evaluations or seconds, rising.
        mean, low, high: mean, lower and upper quartile over the runs (interpolated between runs).
    """

    places: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True)
class Reach:
    """When several runs first had some hypervolume.

    Attributes:
        evaluations, seconds: medians over the runs; infinite where half of them or more never had it.
        runs: how many had it.
    """

    evaluations: float
    seconds: float
    runs: int


def held_volumes(run: Run, places: Sequence[float] | Floats, axis: Axis) -> Floats:
    """Hypervolume of a run at each place: that of its last event at or before it, 0 before the first.

    Args:
        run: its events; after the last one, its hypervolume stays.
        places: m evaluations or seconds, in any order.
        axis: what `places` counts.
    Returns: m numbers.
    """
    events = _events(run)
    stairs = np.concatenate([[0.0], events[:, 2]])
    volumes: Floats = stairs[np.searchsorted(events[:, COLUMNS[axis]], places, side="right")]
    return volumes


def last_common(runs: Sequence[Run], axis: Axis) -> float:
    """Evaluations or seconds up to which every run went; 0 if one has no event."""
    return min(float(_events(run)[-1:, COLUMNS[axis]].sum()) for run in runs)


def spread_of(runs: Sequence[Run], axis: Axis, places: Sequence[float] | Floats | None = None) -> Spread:
    """Mean and quartiles over the runs.

    Args:
        runs: at least one.
        axis: what `places` counts.
        places: where to look; None for 0 and every event's place up to where the shortest run ends, so that between
            them nothing changes, and no run is judged by what it never did.
    """
    if places is None:
        moments = np.concatenate([_events(run)[:, COLUMNS[axis]] for run in runs])
        places = np.unique([0.0, *moments[moments <= last_common(runs, axis)]])
    where = np.asarray(places, dtype=np.float64)
    volumes = np.array([held_volumes(run, where, axis) for run in runs])
    low, high = np.quantile(volumes, (0.25, 0.75), axis=0)
    return Spread(places=where, mean=volumes.mean(axis=0), low=low, high=high)


def reach_of(runs: Sequence[Run], level: float) -> Reach:
    """When the runs first had a hypervolume of `level` or more, and any at all; at least one run."""
    first = [next((event for event in run if 0 < event[2] >= level), (np.inf, np.inf, level)) for run in runs]
    return Reach(
        evaluations=float(median(event[0] for event in first)),
        seconds=float(median(event[1] for event in first)),
        runs=sum(bool(np.isfinite(event[0])) for event in first),
    )


def _events(run: Run) -> Floats:
    return np.asarray(run, dtype=np.float64).reshape(len(run), 3)
