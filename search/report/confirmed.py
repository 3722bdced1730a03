"""The confirmed front in the report: proxy against full."""

from __future__ import annotations

from typing import Any

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES, Objective
from search.formats import bounded, number, probability
from search.report.figures import Figure, figure, plain
from search.tables.confirmed import sentences
from space.shown import counted
from studies import Confirmation, ConfirmedRow

Json = dict[str, Any]


def confirmation_of(confirmation: Confirmation) -> Json:
    """How the front was confirmed, a row for each candidate, and what the search had said against what was found."""
    measured = [OBJECTIVES[name] for name in confirmation.objectives if OBJECTIVES[name].stage != "cost"]
    columns = [part for one in measured for part in (f"{one.name} was", f"{one.name} is")]
    seeds, epochs = counted(len(confirmation.seeds), "fresh seed"), counted(confirmation.budget.epochs, "epoch")
    return {
        "how": f"Trained again by {seeds}, {epochs} each, and measured on test images that the search has not seen.",
        "told": sentences(confirmation),
        "columns": ["trial", "candidate", *columns, "P(front)", "verdict", "seeds", "now"],
        "numbers": [row.number for row in confirmation.rows],
        "rows": [_row(row, measured) for row in confirmation.rows],
        "figures": [
            {"title": f"{one.label}: in the search and confirmed", "figure": _shift(confirmation, one)}
            for one in measured
        ],
    }


def _row(row: ConfirmedRow, measured: list[Objective]) -> list[str]:
    values = [text for one in measured for text in (_was(row, one), _is(row, one))]
    return [row.candidate, *values, probability(row.front_probability), row.verdict, str(len(row.seeds)), row.now]


def _was(row: ConfirmedRow, objective: Objective) -> str:
    return number(row.proxy[objective.name].value, objective.unit)


def _is(row: ConfirmedRow, objective: Objective) -> str:
    found = row.measurements.get(objective.name)
    return "–" if found is None else bounded(found)


def _shift(confirmation: Confirmation, objective: Objective) -> Figure:
    """Full over proxy, with their intervals; on the line, nothing has changed."""
    name = objective.name
    rows = [row for row in confirmation.rows if name in row.measurements]
    proxy, full = [row.proxy[name] for row in rows], [row.measurements[name] for row in rows]
    dots = {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,  # what nothing stands lies in the corner of both axes
        "x": [one.value for one in proxy],
        "y": [one.value for one in full],
        "error_x": _intervals(proxy),
        "error_y": _intervals(full),
        "marker": {"size": 9, "symbol": ["circle" if row.stands else "circle-open" for row in rows]},
        "text": [plain(f"#{row.number} {row.candidate}") for row in rows],
        "hovertemplate": "%{text}<br>search %{x:.1%}, confirmed %{y:.1%}<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"dash": "dot", "width": 1},
        "hoverinfo": "skip",
    }
    ends = [end for one in (*proxy, *full) for end in one.interval]
    reach = [max(0.0, min(ends, default=0.0) - 0.03), min(1.0, max(ends, default=1.0) + 0.03)]
    axis = {"tickformat": ".0%", "range": reach}
    x, y = ({"title": {"text": f"{name} {where}"}, **axis} for where in ("in the search", "confirmed"))
    return figure([dots, line], x, y, 340, showlegend=False)


def _intervals(found: list[Measurement]) -> Figure:
    up = [one.interval[1] - one.value for one in found]
    down = [one.value - one.interval[0] for one in found]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1, "width": 0}
