"""Figures of a study and of one candidate as plotly reads them: plain values, in the colours of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from search.formats import scientific, unit_of_time
from search.report.importance import Importance

if TYPE_CHECKING:
    from evaluators import CostReport

Figure = dict[str, Any]
LINE, TOP = 18, 70
"""Pixels that one bar takes, and all else beside the bars."""


def figure(traces: Sequence[Figure], x: Figure | str, y: Figure | str, height: int = 300, **layout: Any) -> Figure:
    """Traces over two axes; an axis is its title, or all that plotly should know of it."""
    axes = {"xaxis": _axis(x), "yaxis": _axis(y)}
    return {"data": list(traces), "layout": {"height": height, **axes, **layout}}


def growth_figure(trace: Sequence[tuple[float, float]]) -> Figure:
    """Hypervolume of the front against the study's running time; each value holds until the next."""
    last = max((seconds for seconds, _ in trace), default=0.0)
    scale, unit = unit_of_time(last)
    times, volumes = [seconds / scale for seconds, _ in trace], [volume for _, volume in trace]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": times,
        "y": volumes,
        "line": {"shape": "hv", "width": 2},
        "marker": {"size": 5},
        "hovertemplate": f"%{{x:.3g}} {unit}: %{{y:.4f}}<extra></extra>",
    }
    y = {"title": {"text": "hypervolume of the front"}, "rangemode": "tozero"}
    return figure([line], {"title": {"text": f"running time ({unit})"}, "rangemode": "tozero"}, y)


def importance_figure(found: Sequence[Importance]) -> Figure:
    """What each choice explains beyond chance, the most important one on top."""
    shown = list(reversed(found))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [one.choice for one in shown],
        "x": [one.beyond_chance for one in shown],
        "text": [f" p {one.p:.3f}" for one in shown],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }
    x: Figure = {"title": {"text": "P(front) explained beyond chance"}, "tickformat": ".0%", "rangemode": "tozero"}
    x["range"] = [0, 1.25 * max((one.beyond_chance for one in found), default=0.0) or 1.0]
    return figure([bars], x, {"automargin": True}, TOP + (LINE + 6) * len(shown))


def layers_figure(report: CostReport) -> Figure:
    """Bit operations of every layer, the members beside each other."""
    parts = [
        _layer_bars(f"{place}: {member.member}", report.to_json()["layers"][start:stop])
        for place, (member, start, stop) in enumerate(_spans(report), start=1)
    ]
    bars = sum(len(one["y"]) for one in parts)
    y = {"automargin": True, "autorange": "reversed", "type": "category"}
    legend = {
        "showlegend": len(parts) > 1,
        "barmode": "group",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    }
    return figure(
        parts, "bit operations of one image", y, max(220, TOP + 40 * (len(parts) > 1) + LINE * bars), **legend
    )


def _spans(report: CostReport) -> list[tuple[Any, int, int]]:
    """Each member with the places of its layers in the list of all."""
    spans, start = [], 0
    for member in report.members:
        spans.append((member, start, start + len(member.layers)))
        start += len(member.layers)
    return spans


def _layer_bars(name: str, layers: Sequence[Mapping[str, Any]]) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": plain(name),
        "y": [plain(f"{one['name']} ({one['kind']})") for one in layers],
        "x": [one["bops"] for one in layers],
        "hovertext": [
            f"{scientific(one['bops'])} bit operations; weights {one['weight_bits']}, "
            f"activations {one['activation_bits']} {'bases' if one['bases'] else 'bits'}"
            for one in layers
        ],
        "hovertemplate": "%{y}: %{hovertext}<extra></extra>",
    }


def plain(text: str) -> str:
    """A text that plotly shows as it is: it would read tags."""
    return escape(text, quote=False)


def _axis(axis: Figure | str) -> Figure:
    return {"title": {"text": axis}} if isinstance(axis, str) else axis
