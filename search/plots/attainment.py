"""The picture of what runs attain: for each pair of objectives, what half of a group's runs reach, and their spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from search.plots.panels import axis_label, scaled, span
from search.plots.scene import staircase
from search.plots.sheet import Sheet, lines_of_keys, rule
from search.plots.style import RC, SERIES, STROKES
from search.plots.ticks import set_ticks
from studies import attainment_surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from evaluators.objectives import Objective
    from studies.fronts.pareto import Floats

    Groups = Mapping[str, Sequence[Floats]]

MOST = 3
"""Objectives whose pairs still fit beside each other."""


def draw_attainment(groups: Groups, objectives: Sequence[Objective], subject: str) -> Figure:
    """Draw a panel per pair of objectives: a line along what half of the runs reach, a band from 25 to 75 %.

    Args:
        groups: the fronts of each group's runs by its name, f x k in the objectives' units, in their order.
        objectives: k of them, 2 to MOST.
        subject: data set, network, epsilon; the line below the title.
    """
    from matplotlib import rc_context

    order = sorted(range(len(objectives)), key=lambda index: objectives[index].maximize)
    pairs = list(combinations(order, 2))
    with rc_context(RC):
        sheet = Sheet(
            title="Reached by half of the runs; band: by 25 to 75 %",
            subject=subject,
            panels=(1, len(pairs)),
            size=(4.0, 3.0) if len(pairs) == 1 else (2.6, 2.5),
            keys=lines_of_keys(len(groups)),
        )
        figure, panels = sheet.draw()
        for axes, (across, up) in zip(panels, pairs, strict=True):
            planes = {name: [front[:, [across, up]] for front in fronts] for name, fronts in groups.items()}
            _draw_panel(axes, planes, (objectives[across], objectives[up]))
        sheet.draw_keys(figure, panels[0].get_legend_handles_labels()[0])
        return figure


def attained_by(fronts: Sequence[Floats], share: float, maximize: tuple[bool, bool]) -> list[tuple[float, float]]:
    """Corners of what at least a share of the runs reach, in the units of the fronts, by the first objective.

    Args:
        fronts: n x 2 per run.
        share: above 0, up to 1.
        maximize: whether more is better, per objective.
    """
    signs = np.where(maximize, -1.0, 1.0)
    surface = attainment_surface([front * signs for front in fronts], math.ceil(share * len(fronts))) * signs
    return sorted((float(x), float(y)) for x, y in surface)


def _draw_panel(axes: Axes, groups: Groups, pair: tuple[Objective, Objective]) -> None:
    """A line and a band per group."""
    _set_up(axes, np.concatenate([front for fronts in groups.values() for front in fronts]), pair)
    rim, maximize = (axes.get_xlim(), axes.get_ylim()), (pair[0].maximize, pair[1].maximize)
    for index, (name, fronts) in enumerate(groups.items()):
        shown = [np.stack([_shown(front[:, i], one) for i, one in enumerate(pair)], axis=1) for front in fronts]
        outer, middle, inner = (
            staircase(attained_by(shown, share, maximize), maximize, rim) for share in (0.25, 0.5, 0.75)
        )
        color, _ = SERIES[index % len(SERIES)]
        look: dict[str, Any] = {"color": color, "linestyle": STROKES[index % len(STROKES)], "linewidth": 1.4}
        axes.plot(*_columns(middle), label=name, scalex=False, scaley=False, **look)
        if outer:  # what too few runs reach for its inner edge is open towards the worst
            edge = inner[::-1] or [(rim[0][0 if maximize[0] else 1], rim[1][0 if maximize[1] else 1])]
            axes.fill(*_columns([*outer, *edge]), color=color, alpha=0.18, linewidth=0)


def _set_up(axes: Axes, points: Floats, pair: tuple[Objective, Objective]) -> None:
    """Scales, limits and names of both axes, for every front of the panel."""
    for column, objective, kind in zip(points.T, pair, "xy", strict=True):
        values = _shown(column, objective).tolist()
        log = objective.unit != "fraction" and min(values, default=0.0) > 0
        getattr(axes, f"set_{kind}scale")("log" if log else "linear")
        getattr(axes, f"set_{kind}lim")(span(values, log=log))
        getattr(axes, f"set_{kind}label")(axis_label(objective))
        set_ticks(getattr(axes, f"{kind}axis"), values, log=log)
    rule(axes)


def _shown(column: Floats, objective: Objective) -> Floats:
    """Values as their axis shows them."""
    return column * scaled(1.0, objective)


def _columns(corners: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in corners], [y for _, y in corners]
