"""Ticks that never collide: whole decades on a wide logarithmic axis, fewer and rounder numbers on a narrow one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.formats import scientific

if TYPE_CHECKING:
    from matplotlib.axis import Axis

WIDE, MIDDLE = 2.0, 0.8
"""Decades from which on an axis is labelled by decades, or by 1, 2 and 5."""


def set_ticks(axis: Axis, values: Sequence[float], *, log: bool) -> None:
    """Choose the ticks of an axis.

    Args:
        axis: linear, or logarithmic if `log`.
        values: what it shows; > 0 if `log`.
        log: what the axis is.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if not log:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        return
    axis.set_minor_formatter(NullFormatter())
    decades = math.log10(max(values) / min(values))
    if decades >= WIDE:
        return
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if decades >= MIDDLE else MaxNLocator(nbins=4))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """A number as axes show it: 2e8, 1.5e8, never 1.50e8."""
    mantissa, _, exponent = scientific(value).partition("e")
    return f"{float(mantissa):g}e{exponent}" if exponent else mantissa
