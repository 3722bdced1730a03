"""The figures of a candidate's diagnostics, from the tables that `diagnose` left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from evaluators import DIAGNOSTICS
from evaluators.base import NORMAL_95
from search.report.figures import Figure, figure, plain

if TYPE_CHECKING:
    from evaluators import Table

PERCENT = {"tickformat": ".0%", "range": [0, 1.02]}
NUMBERED = 12
"""Classes up to which the cells of a confusion matrix carry their number."""


def figures_of(table: Table) -> Iterator[tuple[str, Figure]]:
    """Titles and figures of a diagnostic; a confusion matrix has one for each attack."""
    if table.name == "confusion":
        for attack in table.distinct("attack"):
            yield f"{attack}: which classes are taken for which", _matrix(table.where(attack=attack))
        return
    yield DIAGNOSTICS[table.name].label, FIGURES[table.name](table)


def _matrix(table: Table) -> Figure:
    classes = sorted({int(one) for one in table.numbers("true")})
    counts: dict[int, list[float]] = {one: [0.0] * len(classes) for one in classes}
    for true, predicted, images in zip(*map(table.numbers, ("true", "predicted", "images")), strict=True):
        counts[int(true)][classes.index(int(predicted))] = images
    heat = {
        "type": "heatmap",
        "z": [counts[one] for one in classes],
        "colorscale": "Cividis",
        "showscale": False,
        "texttemplate": "%{z:.0f}" if len(classes) <= NUMBERED else "",
        "hovertemplate": "class %{y} taken for %{x}: %{z:.0f} images<extra></extra>",
    }
    step = {"dtick": max(1, len(classes) // 10)}
    y = {"title": {"text": "true class"}, "autorange": "reversed", **step}
    return figure([heat], {"title": {"text": "predicted class"}, **step}, y, 340)


def _epsilon(table: Table) -> Figure:
    lines = [_line(table.where(attack=one), str(one), "epsilon", "accuracy") for one in table.distinct("attack")]
    return figure(lines, "ε, largest change of a pixel", {"title": {"text": "accuracy"}, **PERCENT}, **LEGEND)


def _steps(table: Table) -> Figure:
    lines = [_line(table.where(alpha=one), f"α = {one:g} ε", "steps", "accuracy") for one in table.distinct("alpha")]
    return figure(lines, "steps of PGD", {"title": {"text": "accuracy"}, **PERCENT}, **LEGEND)


def _activations(table: Table) -> Figure:
    lines = [_line(table.where(member=one), f"member {one}", "epsilon", "l1") for one in table.distinct("member")]
    return figure(
        lines, "ε, largest change of a pixel", {"title": {"text": "L1 norm"}, "rangemode": "tozero"}, **LEGEND
    )


def _lipschitz(table: Table) -> Figure:
    return _by_layer(table, {"two_norm": "‖ΔW‖₂", "infinity_norm": "‖ΔW‖∞"}, "layer", "can amplify by")


def _gradients(table: Table) -> Figure:
    return _by_layer(table, {"gradient": "mean |dL/dx|"}, "place", "mean gradient")


def _by_layer(table: Table, columns: dict[str, str], place: str, title: str) -> Figure:
    """Dots by layer, on a scale of powers of ten; what is 0 has none."""
    dots = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{text}, member {member}",
            "x": table.where(member=member).numbers(column),
            "y": [plain(str(one)) for one in table.where(member=member).distinct(place)],
            "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
        }
        for member in table.distinct("member")
        for column, text in columns.items()
    ]
    height = 130 + 20 * len(table.distinct(place))
    y = {"automargin": True, "autorange": "reversed", "type": "category"}
    return figure(
        dots, {"title": {"text": title}, "type": "log", "nticks": 6, "tickformat": ".0~e"}, y, height, **LEGEND
    )


def _line(table: Table, name: str, x: str, y: str) -> Figure:
    """One curve, with its 95 % intervals where the table knows its errors."""
    values = table.numbers(y)
    line: Figure = {"type": "scatter", "mode": "lines+markers", "name": plain(name), "cliponaxis": False}
    line |= {"x": table.numbers(x), "y": values, "hovertemplate": "%{x:.3g}: %{y:.3g}<extra>%{fullData.name}</extra>"}
    if "low" in table.columns:
        up = [high - value for high, value in zip(table.numbers("high"), values, strict=True)]
        down = [value - low for low, value in zip(table.numbers("low"), values, strict=True)]
        line["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": up,
            "arrayminus": down,
            "thickness": 1,
            "width": 2,
        }
    elif f"{y}_se" in table.columns:
        reach = [NORMAL_95 * error for error in table.numbers(f"{y}_se")]
        line["error_y"] = {"type": "data", "array": reach, "thickness": 1, "width": 2}
    return line


LEGEND: dict[str, Any] = {"showlegend": True, "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"}}
FIGURES: dict[str, Callable[[Table], Figure]] = {
    "lipschitz": _lipschitz,
    "activations": _activations,
    "epsilon": _epsilon,
    "steps": _steps,
    "gradients": _gradients,
}
"""By the name of the diagnostic; those of one figure."""
