"""Diagnostics as curves: accuracy against radius and against steps, activations against radius."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluators.base import NORMAL_95
from search.plots.sheet import Sheet, lines_of_keys, rule
from search.plots.style import SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from evaluators import Table

ATTACKS = {"fgsm": "FGSM", "pgd": "PGD", "uniform": "uniform noise"}
RADIUS = "radius ε, as a part of the pixel range"


def draw_epsilon(table: Table, title: str, subject: str) -> Figure:
    """Accuracy against ε: a curve per attack, with 95 % intervals."""
    sheet = Sheet(title=title, subject=subject)
    figure, [axes] = sheet.draw()
    for index, attack in enumerate(table.distinct("attack")):
        _draw_accuracy(axes, table.where(attack=attack), "epsilon", ATTACKS.get(attack, attack), index)
    axes.set_xlabel(RADIUS)
    sheet.draw_keys(figure, axes.get_legend_handles_labels()[0])
    return figure


def draw_steps(table: Table, title: str, subject: str) -> Figure:
    """Accuracy against steps: a curve per step size, with 95 % intervals."""
    alphas, marks = table.distinct("alpha"), table.distinct("steps")
    sheet = Sheet(title=title, subject=subject, keys=-(-len(alphas) // 3))
    figure, [axes] = sheet.draw()
    for index, alpha in enumerate(alphas):
        rows = table.where(alpha=alpha)
        label = f"α = {alpha:g} ε = {255 * rows.numbers('step_size')[0]:.3g}/255"
        label += " (worst)" if rows.numbers("worst")[0] else ""
        _draw_accuracy(axes, rows, "steps", label, index)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks(marks, [str(mark) for mark in marks], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("gradient steps of PGD")
    sheet.draw_keys(figure, axes.get_legend_handles_labels()[0])
    return figure


def draw_activations(table: Table, title: str, subject: str) -> Figure:
    """The norm against ε, and how far it moved: a curve per member, with 95 % intervals."""
    members = table.distinct("member")
    sheet = Sheet(title=title, subject=subject, panels=(1, 2), size=(2.5, 2.2), keys=lines_of_keys(len(members)))
    figure, panels = sheet.draw()
    for axes, column in zip(panels, ("l1", "moved"), strict=True):
        highest = 0.0
        for index, member in enumerate(members):
            rows = table.where(member=member)
            bars = [NORMAL_95 * error for error in rows.numbers(f"{column}_se")]
            highest = max(highest, *map(sum, zip(rows.numbers(column), bars, strict=True)))
            _draw_curve(axes, (rows.numbers("epsilon"), rows.numbers(column)), bars, f"member {member}", index)
        axes.margins(x=0.03)
        axes.set_ylim(bottom=0, top=1.08 * highest or 1.0)
        axes.set_xlabel("radius ε of FGSM")
        rule(axes)
    panels[0].set_ylabel("L1 norm of the activation")
    panels[1].set_ylabel("L1 norm of its change")
    sheet.draw_keys(figure, panels[0].get_legend_handles_labels()[0])
    return figure


def _draw_accuracy(axes: Axes, rows: Table, across: str, label: str, index: int) -> None:
    """One curve of accuracies in per cent, with what its interval holds."""
    xs, ys = rows.numbers(across), [100 * value for value in rows.numbers("accuracy")]
    low, high = ([100 * value for value in rows.numbers(name)] for name in ("low", "high"))
    color, _ = SERIES[index % len(SERIES)]
    _draw_curve(axes, (xs, ys), None, label, index)
    axes.fill_between(xs, low, high, color=color, alpha=0.15, linewidth=0)
    axes.set_ylim(-2, 102)
    axes.set_ylabel("accuracy (%), 95 % interval")
    axes.margins(x=0.02)
    rule(axes)


def _draw_curve(
    axes: Axes, spots: tuple[list[float], list[float]], bars: list[float] | None, label: str, index: int
) -> None:
    color, marker = SERIES[index % len(SERIES)]
    axes.errorbar(
        *spots, yerr=bars, label=label, color=color, marker=marker, markersize=4, linewidth=1.1, elinewidth=0.7
    )
