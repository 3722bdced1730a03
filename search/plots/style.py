"""The look of every picture, and how it is saved."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 200
INK, QUIET, RULE = "#222222", "#8a8a8a", "#d9d9d9"
SINGLE: dict[str, Any] = {"marker": "o", "color": "#0072b2", "markersize": 6.0}
ENSEMBLE: dict[str, Any] = {"marker": "D", "color": "#f0a830", "markersize": 5.6}
"""Blue and amber of Okabe and Ito (2008): apart for any colour vision, dark and light in grey."""
RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 12.0,
    "mfc": "none",
    "mec": INK,
    "mew": 1.5,
    "ls": "none",
}
SERIES: tuple[tuple[str, str], ...] = tuple(
    zip(
        ("#0072b2", "#f0a830", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#222222", "#8a6d3b", "#7a7a7a"),
        ("o", "D", "s", "^", "v", "P", "X", "<", ">"),
        strict=True,
    )
)
"""Colour and marker of each curve of a picture: as many as an ensemble has members at most."""
STROKES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
"""How curves that may lie on each other are dashed, so that each of them shows."""
GREY: dict[str, Any] = {"marker": "o", "color": "#b5b5b5", "markersize": 3.4, "mew": 0, "ls": "none"}
RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "axes.grid": False,
    "text.usetex": False,
    "text.parse_math": False,  # names that people give may hold any sign
    "savefig.bbox": None,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}


def hollow(look: dict[str, Any]) -> dict[str, Any]:
    """The same mark in outline: white inside, with its colour around."""
    return look | {"mfc": "white", "mec": look["color"], "mew": 0.22 * look["markersize"]}


def save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG; a picture that is there already stays whole until the new one is.

    A sign that the font lacks, of a name in another script, is a box in the picture and nothing to warn of.
    """
    partial = path.with_name(f".{path.name}.partial")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(partial, format="png", dpi=DPI)
    partial.replace(path)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure on the Agg canvas, `width` by `height` inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches from the figure's lower left corner."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, bottom / high, width / wide, height / high))
