"""Where a front bends: the record that gives up least of everything at once (Das, 1999)."""

from collections.abc import Sequence

import numpy as np

from evaluators.objectives import find_objectives
from studies.pareto import Floats
from studies.records import Record, values_of

FLAT = 1e-9
STEEPEST = 1e3
"""Condition of the extremes beyond which the plane through them is a matter of rounding."""


def by_trade_off(members: Sequence[Record], objectives: Sequence[str]) -> list[Record]:
    """Records of a front by how far they bulge over the plane through its extremes, most first.

    Args:
        members: mutually non-dominated records.
        objectives: names; costs are compared on a log2 scale, each objective over the front's own range.
    Returns: those that bulge at all (ties: the older first); none where fewer than three members or fewer
        than two objectives vary.
    """
    losses = _losses(members, objectives)
    if len(members) < 3 or losses.shape[1] < 2:
        return []
    heights = bulges(losses)
    order = sorted(range(len(members)), key=lambda i: (-heights[i], members[i].number))
    return [members[i] for i in order if heights[i] > FLAT]


def bulges(losses: Floats) -> Floats:
    """Signed distances of n points from the plane through their extremes, positive towards the ideal.

    Args:
        losses: n x k, each column from 0 (best) to 1 (worst).
    Returns: n distances. Where the k extremes span no plane with a positive normal, the plane of equal sums
        through the unit points takes its place.
    """
    normal = np.ones(losses.shape[1])
    extremes = losses[losses.argmin(axis=0)]
    if np.linalg.norm(extremes) > 1e-3 and np.linalg.cond(extremes) < STEEPEST:
        solved = np.linalg.solve(extremes, normal)
        normal = solved if (solved > 0).all() else normal
    return np.asarray((1.0 - losses @ normal) / np.linalg.norm(normal), dtype=np.float64)


def _losses(members: Sequence[Record], objectives: Sequence[str]) -> Floats:
    """Scale each objective that varies over the front to 0 (best) … 1 (worst)."""
    values = values_of(members, objectives)
    columns = []
    for i, objective in enumerate(find_objectives(objectives)):
        column = np.log2(np.maximum(values[:, i], 1e-9)) if objective.stage == "cost" else values[:, i]
        column = -column if objective.maximize else column
        if len(column) and np.ptp(column) > 0:
            columns.append((column - column.min()) / np.ptp(column))
    return np.stack(columns, axis=1) if columns else np.zeros((len(members), 0))
