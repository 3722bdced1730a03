"""The picture of compared studies: hypervolume against evaluations and against running time, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from search.formats import unit_of_time
from search.plots.sheet import Sheet, lines_of_keys, rule
from search.plots.style import RC, SERIES, STROKES
from studies import spread_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from studies import Spread
    from studies.comparison.runs import Run

    Groups = Mapping[str, Sequence[Run]]

CUT = 0.1
"""Share of the evaluations after which every curve is in sight; samplers differ late, the steep beginning is cut."""


def draw_comparison(groups: Groups, subject: str) -> Figure:
    """Draw both panels: the mean over a group's runs as a step curve, and a band between the quartiles.

    Args:
        groups: the runs of each group by its name, at least one run each.
        subject: data set, network, epsilon; the line below the title.
    """
    from matplotlib import rc_context

    with rc_context(RC):
        sheet = Sheet(
            title="Hypervolume of the front: mean of the runs, band from quartile to quartile",
            subject=subject,
            panels=(1, 2),
            size=(3.3, 2.6),
            keys=lines_of_keys(len(groups)),
        )
        figure, [left, right] = sheet.draw()
        after = {name: spread_of(runs, "evaluations") for name, runs in groups.items()}
        _draw_panel(left, after, 1.0)
        left.set_xlabel("evaluated candidates")
        left.set_ylabel("hypervolume")
        within = {name: spread_of(runs, "seconds") for name, runs in groups.items()}
        scale, unit = unit_of_time(_longest(within))
        _draw_panel(right, within, scale)
        right.set_xlabel(f"running time ({unit})")
        foot = min(map(_early, after.values()))
        top = max(float(one.high.max()) for one in (*after.values(), *within.values())) or 1.0
        rim = 0.05 * (top - foot or top)  # a front that never grew has no height of its own
        for axes in (left, right):
            axes.set_ylim(max(0.0, foot - 2 * rim), top + rim)
        sheet.draw_keys(figure, left.get_legend_handles_labels()[0])
        return figure


def _early(spread: Spread) -> float:
    """Mean hypervolume after CUT of the evaluations."""
    return float(spread.mean[np.searchsorted(spread.places, CUT * spread.places[-1], side="right") - 1])


def _draw_panel(axes: Axes, spreads: Mapping[str, Spread], scale: float) -> None:
    """A curve per group, with its marker where it ends."""
    for index, (name, one) in enumerate(spreads.items()):
        color, marker = SERIES[index % len(SERIES)]
        places = one.places / scale
        axes.fill_between(places, one.low, one.high, step="post", color=color, alpha=0.18, linewidth=0)
        look: dict[str, Any] = {"color": color, "linestyle": STROKES[index % len(STROKES)], "linewidth": 1.3}
        mark: dict[str, Any] = {"marker": marker, "markersize": 4.5, "markevery": [-1]}
        axes.plot(places, one.mean, drawstyle="steps-post", label=name, **look, **mark)
    axes.set_xlim(0, 1.03 * (_longest(spreads) / scale or 1.0))
    rule(axes)


def _longest(spreads: Mapping[str, Spread]) -> float:
    return max(float(one.places[-1]) for one in spreads.values())
