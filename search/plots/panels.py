"""One panel of the front: two objectives, every point, and the edge of what was reached."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from search.plots.numbers import draw_numbers
from search.plots.scene import Point, Scene, staircase
from search.plots.style import ENSEMBLE, GREY, INK, QUIET, RING, RULE, SINGLE, hollow
from search.plots.ticks import set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from evaluators.objectives import Objective

Interval = tuple[float, float]


def scaled(value: float, objective: Objective) -> float:
    """A value as its axis shows it: fractions in per cent."""
    return 100 * value if objective.unit == "fraction" else value


def axis_label(objective: Objective) -> str:
    """Name and unit of an axis."""
    units = {"fraction": " (%)", "bytes": " (bytes)"}
    return objective.label + units.get(objective.unit, "")


@dataclass(frozen=True)
class Panel:
    """A scene over two of its objectives; draws itself into axes whose size is settled."""

    axes: Axes
    scene: Scene
    across: Objective
    up: Objective

    def draw(self) -> None:
        """Draw everything, back to front."""
        self._set_up()
        self._draw_limits()
        xs, ys = zip(*self.edge, strict=True) if self.edge else ((), ())
        self.axes.plot(xs, ys, color=QUIET, linewidth=1.0, zorder=1.8, scalex=False, scaley=False)
        for masked in (False, True):
            rest = [self.place(p) for p in self.scene.points if not p.front and p.masked is masked]
            look = hollow(GREY) if masked else GREY
            self.axes.plot([x for x, _ in rest], [y for _, y in rest], **look, zorder=2)
        for point in self.scene.front:
            self._draw_point(point)
        draw_numbers(self)
        if not self.scene.points:
            self._say("no candidate was measured completely")

    def _say(self, text: str) -> None:
        """A text in the middle of a panel that has nothing to show."""
        look: dict[str, Any] = {"transform": self.axes.transAxes, "ha": "center", "va": "center"}
        self.axes.text(0.5, 0.5, text, **look, color=QUIET, fontsize=8)

    def place(self, point: Point) -> tuple[float, float]:
        """Where a point lies, in the units of the axes."""
        return scaled(point.value(self.across), self.across), scaled(point.value(self.up), self.up)

    def intervals(self, point: Point) -> tuple[Interval, Interval]:
        """Its 95 % intervals along both axes; an exact value is both of its ends."""
        return self._interval(point, self.across), self._interval(point, self.up)

    @cached_property
    def edge(self) -> list[tuple[float, float]]:
        """Corners of the staircase that bounds what the front beats in this plane, out to the panel's rim."""
        places = [self.place(point) for point in self.scene.front]
        rim = (self.axes.get_xlim(), self.axes.get_ylim())
        return staircase(places, (self.across.maximize, self.up.maximize), rim)

    def _interval(self, point: Point, objective: Objective) -> Interval:
        low, high = point.measurements[objective.name].interval
        return scaled(low, objective), scaled(high, objective)

    def _set_up(self) -> None:
        """Scales, limits with room for numbers, and names of both axes."""
        for index, (objective, kind) in enumerate(((self.across, "x"), (self.up, "y"))):
            values = self._reach(index)
            log = objective.unit != "fraction" and min(values, default=0.0) > 0
            getattr(self.axes, f"set_{kind}scale")("log" if log else "linear")
            getattr(self.axes, f"set_{kind}lim")(span(values, log=log))
            getattr(self.axes, f"set_{kind}label")(axis_label(objective))
            set_ticks(getattr(self.axes, f"{kind}axis"), values, log=log)
        self.axes.grid(True, color=RULE, linewidth=0.4, alpha=0.6)
        self.axes.set_axisbelow(True)

    def _reach(self, index: int) -> list[float]:
        """Every value along one axis (0: across, 1: up), those of the front with the ends of their bars."""
        values = [self.place(point)[index] for point in self.scene.points]
        for point in self.scene.front:
            values += self.intervals(point)[index]
        return values

    def _draw_limits(self) -> None:
        """A dotted line per limit on either axis, where it falls inside the panel."""
        look: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": ":", "zorder": 1.5}
        for name, value in self.scene.limits:
            for objective, span, line in (
                (self.across, self.axes.get_xlim(), self.axes.axvline),
                (self.up, self.axes.get_ylim(), self.axes.axhline),
            ):
                if name == objective.name and span[0] < scaled(value, objective) < span[1]:
                    line(scaled(value, objective), **look)

    def _draw_point(self, point: Point) -> None:
        """A marker of the front with its 95 % interval, in a ring if it is the selected one."""
        (x, y), (wide, high) = self.place(point), self.intervals(point)
        filled = (ENSEMBLE if point.ensemble else SINGLE) | {"mec": INK, "mew": 0.6, "ls": "none"}
        look = hollow(filled) if point.masked else filled
        bars: dict[str, Any] = {"ecolor": "#555555", "elinewidth": 0.6, "capsize": 0}
        self.axes.errorbar(x, y, xerr=_arms(x, wide), yerr=_arms(y, high), **look, **bars, zorder=4)
        if point.number == self.scene.chosen:
            self.axes.plot(x, y, **RING, zorder=5)


def _arms(middle: float, interval: Interval) -> list[list[float]] | None:
    """How far an interval goes to either side, as matplotlib asks for it; None for an exact value."""
    low, high = interval
    return [[middle - low], [high - middle]] if low < high else None


def span(values: list[float], *, log: bool) -> tuple[float, float]:
    """The values' range with a margin for markers and numbers; never empty."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if log:
        ratio = max((high / low) ** 0.1, 1.12)
        return low / ratio, high * ratio
    margin = max(0.07 * (high - low), 2.0)
    return low - margin, high + margin
