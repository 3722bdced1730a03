"""The picture of a study's progress: the hypervolume of its front against running time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.formats import unit_of_time
from search.plots.scene import Growth
from search.plots.style import GREY, INK, RC, RULE, SINGLE, add_axes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_history(growth: Growth) -> Figure:
    """Draw the hypervolume as a step curve, with a mark for every trial."""
    from matplotlib import rc_context

    with rc_context(RC):
        figure = new_figure(5.6, 3.3)
        axes = add_axes(figure, 0.75, 0.55, 4.7, 2.25)
        _draw_curve(axes, growth)
        figure.text(0.5, 1 - 0.2 / 3.3, growth.title, ha="center", va="center", fontsize=9.5, color=INK)
        return figure


def _draw_curve(axes: Axes, growth: Growth) -> None:
    """The steps, and a mark per trial: filled where the front grew, grey, and behind those, where it did not."""
    last = growth.trace[-1][0] if growth.trace else 0.0
    scale, unit = unit_of_time(last)
    times = [seconds / scale for seconds, _ in growth.trace]
    volumes = [volume for _, volume in growth.trace]
    grew = [now > before for before, now in zip([0.0, *volumes], volumes, strict=False)]
    axes.step([0.0, *times], [0.0, *volumes], where="post", color=INK, linewidth=1.1, zorder=2)
    for kind, look, label in ((True, SINGLE, "the front grew"), (False, GREY, "it did not")):
        where = [index for index, better in enumerate(grew) if better is kind]
        xs, ys = [times[i] for i in where], [volumes[i] for i in where]
        axes.plot(xs, ys, **look | {"ls": "none", "markersize": 4.2}, label=label, zorder=3.1 if kind else 3)
    axes.set_xlim(0, 1.02 * (times[-1] if times and times[-1] > 0 else 1.0))
    axes.set_ylim(0, 1.08 * (max(volumes, default=0.0) or 1.0))
    axes.set_xlabel(f"running time ({unit})")
    axes.set_ylabel("hypervolume of the front")
    axes.grid(True, color=RULE, linewidth=0.4, alpha=0.6)
    axes.legend(loc="lower right", frameon=False, fontsize=7.5)
