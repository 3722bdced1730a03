"""How a study's front grew."""

from collections.abc import Iterable, Sequence

import numpy as np

from studies.fronts.bounds import Bounds
from studies.fronts.hypervolume import hypervolume
from studies.records import Record, feasible_records, values_of
from studies.terms import USUAL, Terms


def hypervolume_trace(
    records: Iterable[Record], objectives: Sequence[str], bounds: Bounds, terms: Terms = USUAL
) -> list[tuple[float, float]]:
    """Hypervolume of the front after each record that could be on it.

    Args:
        records: of one study, any states; the complete ones that the terms admit count.
        objectives: names.
        bounds: frozen with the study; the reference is their worst corner, so a trace never falls.
        terms: what a record must meet.
    Returns: (running seconds of the study, hypervolume from 0 to 1), in the order in which the trials ended: with
        several workers, not that of their numbers.
    """
    feasible = sorted(feasible_records(records, terms), key=lambda record: record.at)
    losses = bounds.normalise(values_of(feasible, objectives), objectives)
    best, volume, trace = losses[:0], 0.0, []
    for record, loss in zip(feasible, losses, strict=True):
        if not (best <= loss).all(axis=1).any():
            best = np.vstack([best[(best < loss).any(axis=1)], loss])
            volume = max(volume, hypervolume(best, np.ones(len(objectives))))  # sums of other parts round otherwise
        trace.append((record.at, volume))
    return trace
