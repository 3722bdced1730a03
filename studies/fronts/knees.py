"""Where a front bends: the record that gives up least of everything at once (Das, 1999)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.objectives import find_objectives
from studies.fronts.pareto import Floats
from studies.records import Record, errors_of, values_of

FLAT = 1e-9
STEEPEST = 1e3
"""Condition of the extremes beyond which the plane through them is a matter of rounding."""


@dataclass(frozen=True)
class Bulge:
    """How far a record bulges over the plane through the extremes of its front.

    Attributes:
        record: of the front.
        height: distance from the plane, the front's own range being 1 along each objective.
        stderr: what the errors of its own measurements make of it; extremes and plane are taken as they are.
    """

    record: Record
    height: float
    stderr: float


def by_trade_off(members: Sequence[Record], objectives: Sequence[str]) -> list[Bulge]:
    """Records of a front by how far they bulge over the plane through its extremes, most first.

    Args:
        members: mutually non-dominated records.
        objectives: names; costs are compared on a log2 scale, each objective over the front's own range.
    Returns: those that bulge at all (ties: the older first); none where fewer than three members or fewer
        than two objectives vary.
    """
    losses, errors = _losses(members, objectives)
    if len(members) < 3 or losses.shape[1] < 2:
        return []
    unit = normal(losses)
    unit /= np.linalg.norm(unit)
    found = zip(members, bulges(losses), np.linalg.norm(errors * unit, axis=1), strict=True)
    ranked = sorted((Bulge(*one) for one in found), key=lambda one: (-one.height, one.record.number))
    return [one for one in ranked if one.height > FLAT]


def bulges(losses: Floats) -> Floats:
    """Signed distances of n points from the plane through their extremes, positive towards the ideal.

    Args:
        losses: n x k, each column from 0 (best) to 1 (worst).
    Returns: n distances.
    """
    across = normal(losses)
    return np.asarray((1.0 - losses @ across) / np.linalg.norm(across), dtype=np.float64)


def normal(losses: Floats) -> Floats:
    """The k numbers w of the plane w·x = 1 through the extremes of n points, as in `bulges`.

    Where the k extremes span no plane with a positive normal, the plane of equal sums through the unit points takes
    its place.
    """
    usual = np.ones(losses.shape[1])
    extremes = losses[losses.argmin(axis=0)]
    if np.linalg.norm(extremes) > 1e-3 and np.linalg.cond(extremes) < STEEPEST:
        solved = np.linalg.solve(extremes, usual)
        return solved if (solved > 0).all() else usual
    return usual


def _losses(members: Sequence[Record], objectives: Sequence[str]) -> tuple[Floats, Floats]:
    """Scale each objective that varies over the front to 0 (best) … 1 (worst), and its standard errors alike."""
    values, errors = values_of(members, objectives), errors_of(members, objectives)
    columns, scaled = [], []
    for i, objective in enumerate(find_objectives(objectives)):
        column = np.log2(np.maximum(values[:, i], 1e-9)) if objective.stage == "cost" else values[:, i]
        column = -column if objective.maximize else column
        if len(column) and (width := np.ptp(column)) > 0:
            columns.append((column - column.min()) / width)
            scaled.append(errors[:, i] / width)
    nothing = np.zeros((len(members), 0))
    return (np.stack(columns, axis=1), np.stack(scaled, axis=1)) if columns else (nothing, nothing)
