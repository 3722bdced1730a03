"""The picture of every diagnostic, drawn from its table alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from search.plots.confusion import draw_confusion
from search.plots.curves import draw_activations, draw_epsilon, draw_steps
from search.plots.layers import draw_gradients, draw_lipschitz
from search.plots.style import RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from evaluators import Table

PICTURES: dict[str, Callable[[Table, str, str], Figure]] = {
    "lipschitz": draw_lipschitz,
    "activations": draw_activations,
    "confusion": draw_confusion,
    "epsilon": draw_epsilon,
    "steps": draw_steps,
    "gradients": draw_gradients,
}
"""By the name of the diagnostic: a function of its table, a title, and a line that says of what."""


def draw_diagnostic(table: Table, title: str, subject: str) -> Figure:
    """Draw a table.

    Args:
        table: of any diagnostic.
        title: what it shows.
        subject: of what: candidate, data set, network, radius, images.
    """
    from matplotlib import rc_context

    with rc_context(RC):
        return PICTURES[table.name](table, title, subject)
