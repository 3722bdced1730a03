"""The picture of docs/honest_robustness.md, drawn from its csv."""

from collections.abc import Mapping, Sequence
from typing import Any

from search.plots.style import INK, QUIET, RC, RULE, add_axes, new_figure

LINE, HEAD, LEFT, WIDE, RIGHT, TOP, FOOT = 0.275, 0.34, 2.25, 4.3, 1.75, 0.66, 0.4
"""Inches: a row, the title of a claim, names, axes, verdicts, legend, axis."""
MARKS: dict[str, dict[str, Any]] = {
    "attacked": {"marker": "D", "mfc": "white", "mec": QUIET, "color": QUIET, "markersize": 3.8},
    "naive": {"marker": "o", "mfc": "white", "mec": "#d55e00", "color": "#d55e00", "markersize": 4.6},
    "worst": {"marker": "o", "color": "#0072b2", "markersize": 4.6},
}
FARTHEST: dict[str, dict[str, Any]] = {
    "cw_on_fp": {"marker": "^", "mfc": "white", "mec": QUIET, "markersize": 4.6, "ls": "none"},
    "cw": {"marker": "v", "color": "#cc79a7", "markersize": 4.6, "ls": "none"},
}
LANES = {"attacked": -0.3, "cw": -0.1, "cw_on_fp": -0.1, "naive": 0.1, "worst": 0.3}
"""Where the marks of a row stand, so that none covers another."""
LABELS = {
    "attacked": "the paper's own attack",
    "naive": "plain PGD",
    "worst": "worst case",
    "certified": "certified",
    "cw_on_fp": "CW crafted on fp, as published",
    "cw": "CW on the candidate",
}
CERTIFIED: dict[str, Any] = {"marker": "|", "mew": 1.6, "markersize": 8, "color": "#009e73", "ls": "none"}
COLOURS = {"ok": QUIET, "suspect": "#8a6d3b", "masked": "#b00000", "invalid": "#b00000"}


def draw(lines: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Any:
    """Each row with its three accuracies and their 95 % intervals, grouped by claim; `titles` are by its name."""
    from matplotlib import rc_context

    with rc_context(RC):
        claims = [name for name in titles if any(line["claim"] == name for line in lines)]
        height = TOP + len(lines) * LINE + len(claims) * HEAD + FOOT
        figure = new_figure(LEFT + WIDE + RIGHT, height)
        _legend(figure, height, [name for name in LABELS if any(float(line[name] or 0) for line in lines)])
        top = height - TOP
        for claim in claims:
            rows = [line for line in lines if line["claim"] == claim]
            top -= HEAD + len(rows) * LINE
            axes = add_axes(figure, LEFT, top, WIDE, len(rows) * LINE)
            _panel(axes, titles[claim], rows, last=claim == claims[-1])
        return figure


def _legend(figure: Any, height: float, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    looks = {**MARKS, "certified": CERTIFIED, **FARTHEST}
    keys = [Line2D([], [], label=LABELS[name], **{**looks[name], "ls": "none"}) for name in names]
    figure.text(0.5, 1 - 0.17 / height, "What stands: as attacked, and in the worst case", ha="center", va="center")
    spot = (0.5, 1 - 0.48 / height)
    figure.legend(handles=keys, loc="center", bbox_to_anchor=spot, ncols=3, frameon=False, fontsize=7.5)


def _panel(axes: Any, title: str, rows: Sequence[Mapping[str, Any]], *, last: bool) -> None:
    """The rows of one claim, from top to bottom."""
    axes.set_title(title, fontsize=8.5, loc="left", pad=4, color=INK)
    axes.set_xlim(-2, 102)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_yticks(range(len(rows)), [_name(line) for line in rows])
    axes.tick_params(labelsize=7, length=2)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    if last:
        axes.set_xlabel("accuracy under attack, %, with 95 % intervals", fontsize=7.5)
    else:
        axes.set_xticklabels([])
    for place, line in enumerate(rows):
        _dumbbell(axes, place, line)


def _name(line: Mapping[str, Any]) -> str:
    return f"{line['candidate'].removesuffix(':x0.5')}   ε {line['epsilon']}"


def _dumbbell(axes: Any, place: int, line: Mapping[str, Any]) -> None:
    """One row: a mark and a bar for each accuracy, a line over the gap, and the verdict."""
    spots = {name: 100 * float(line[name]) for name in MARKS}
    ends = [(spots[name], place + LANES[name]) for name in ("naive", "worst")]
    axes.plot(*zip(*ends, strict=True), color=INK, linewidth=0.8, zorder=2)
    for name, look in MARKS.items():
        if name == "attacked" and line["attack"] == "pgd_naive":
            continue  # is plain PGD
        sides = [[abs(100 * float(line[f"{name}_{side}"]) - spots[name])] for side in ("low", "high")]
        axes.errorbar([spots[name]], [place + LANES[name]], xerr=sides, elinewidth=0.8, zorder=3, **look)
    for name, look in FARTHEST.items():
        if line[name]:
            axes.plot([100 * float(line[name])], [place + LANES[name]], zorder=3, **look)
    if float(line["certified"]):
        axes.plot([100 * float(line["certified"])], [place + LANES["worst"]], zorder=4, **CERTIFIED)
    text = ": ".join(part for part in (line["verdict"], line["rules"].replace(" ", ", ")) if part)
    axes.text(104, place, text, va="center", fontsize=6.5, color=COLOURS[line["verdict"]], clip_on=False)
