"""Pictures of a study, drawn from its records: the front in panels, and its growth over time; of a confirmed
front; of diagnostics; and of studies side by side.

All of it goes through matplotlib's object-oriented interface and Agg: no display, no global state.
"""

from search.plots.attainment import draw_attainment
from search.plots.comparison import draw_comparison
from search.plots.confirmation import draw_confirmation
from search.plots.diagnostics import draw_diagnostic
from search.plots.front import draw_front
from search.plots.history import draw_history
from search.plots.reproduction import draw_reproduction
from search.plots.scene import Growth, Point, Scene
from search.plots.style import save

__all__ = [
    "Growth",
    "Point",
    "Scene",
    "draw_attainment",
    "draw_comparison",
    "draw_confirmation",
    "draw_diagnostic",
    "draw_front",
    "draw_history",
    "draw_reproduction",
    "save",
]
