"""Confusion matrices, one beside the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.plots.sheet import Sheet
from search.plots.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from evaluators import Table

TITLES = {"clean": "clean", "pgd": "under PGD"}
READABLE = 16
"""Classes up to which every count is written out; more are shown by colour alone."""


def draw_confusion(table: Table, title: str, subject: str) -> Figure:
    """A matrix per condition: counts, coloured by the share of the true class."""
    conditions = table.distinct("attack")
    sheet = Sheet(title=title, subject=subject, panels=(1, len(conditions)), size=(2.7, 2.7), bottom=0.45, keys=1)
    figure, panels = sheet.draw()
    for axes, name in zip(panels, conditions, strict=True):
        _draw_matrix(axes, table.where(attack=name))
        right = sum(images for true, other, images in _cells(table.where(attack=name)) if true == other) / sum(
            table.where(attack=name).numbers("images")
        )
        axes.set_title(f"{TITLES.get(name, name)}: {100 * right:.1f} % right", fontsize=8.5, color=INK)
    panels[0].set_ylabel("true class")
    return figure


def _cells(rows: Table) -> list[tuple[int, int, int]]:
    """True class, predicted class, images."""
    columns = (rows.numbers(name) for name in ("true", "predicted", "images"))
    return [(int(true), int(other), int(images)) for true, other, images in zip(*columns, strict=True)]


def _draw_matrix(axes: Axes, rows: Table) -> None:
    classes = len(rows.distinct("true"))
    counts = [[0] * classes for _ in range(classes)]
    for true, other, images in _cells(rows):
        counts[true][other] = images
    shares = [[images / max(1, sum(line)) for images in line] for line in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("predicted class")
    if classes > READABLE:
        return
    axes.set_xticks(range(classes))
    axes.set_yticks(range(classes))
    for true, line in enumerate(counts):
        for other, images in enumerate(line):
            _write(axes, (other, true), images, shares[true][other])


def _write(axes: Axes, spot: tuple[int, int], images: int, share: float) -> None:
    """A count in its field; zeros are left out."""
    if images:
        color = "white" if share > 0.5 else INK
        axes.text(*spot, str(images), ha="center", va="center", fontsize=6.5, color=color)
