"""Parallel coordinates: objectives, and the choices in which the candidates differ, side by side."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.objectives import Objective
from search.formats import number
from search.report.choices import Value, chosen_by, in_order
from search.report.figures import plain
from search.report.points import values_of

MOST = 12
"""Different values of a choice that still have room on an axis."""

Axis = tuple[str, list[list[Any]], list[float]]
"""Title, ticks as [height, text], and the height of every point, all from 0 to 1."""


def parallel_of(points: Sequence[Mapping[str, Any]], objectives: Sequence[Objective]) -> dict[str, Any]:
    """Axes with their ticks, and heights by number of the point; better is up, costs are on a scale of logarithms."""
    axes = [_of_objective(one, values_of(points, one.name)) for one in objectives]
    designs = [chosen_by(point["candidate"]) for point in points]
    if designs and all(designs):
        axes += [axis for name in designs[0] if (axis := _of_choice(name, [one[name] for one in designs]))]
    heights = zip(*(axis[2] for axis in axes), strict=True) if points else []
    numbers = [str(point["number"]) for point in points]
    return {
        "axes": [{"title": plain(title), "ticks": ticks} for title, ticks, _ in axes],
        "heights": dict(zip(numbers, map(list, heights), strict=True)),
    }


def _of_objective(objective: Objective, values: Sequence[float]) -> Axis:
    scale = _log if objective.stage == "cost" else float
    low, high = min(values, default=0.0), max(values, default=1.0)
    middle = math.sqrt(low * high) if objective.stage == "cost" else (low + high) / 2

    def height(value: float) -> float:
        wide = scale(high) - scale(low)
        share = (scale(value) - scale(low)) / wide if wide else 0.5
        return share if objective.maximize else 1 - share

    ends = [low, middle, high] if low < high else [low]
    ticks = [[height(value), number(value, objective.unit)] for value in ends]
    return objective.name, ticks, [height(value) for value in values]


def _of_choice(name: str, chosen: Sequence[Value]) -> Axis | None:
    """None for a choice that all made alike, or of too many values."""
    order = in_order(set(chosen))
    if not 1 < len(order) <= MOST:
        return None
    place = {value: index / (len(order) - 1) for index, value in enumerate(order)}
    return name, [[place[value], plain(str(value))] for value in order], [place[value] for value in chosen]


def _log(value: float) -> float:
    return math.log2(max(value, 1e-9))
