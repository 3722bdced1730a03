"""What a picture shows, as plain values: nothing here knows of matplotlib or of a study's files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from evaluators.base import Measurement
from evaluators.objectives import Objective
from evaluators.verdict import Verdict

NUMBERED = 12
"""How many points of the front carry a number and a row under the panels; more would not be read."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One evaluated candidate.

    Attributes:
        number: of its trial; written beside the point.
        candidate: its canonical text.
        ensemble: whether it has more than one member.
        front: whether it is on the study's front, over all objectives.
        measurements: at least one per objective of the scene.
        verdict: whether its robustness can be believed.
        probability: of being on the front, given its errors; None where it is not known.
    """

    number: int
    candidate: str
    ensemble: bool
    front: bool
    measurements: Mapping[str, Measurement]
    verdict: Verdict = "unchecked"
    probability: float | None = None

    @property
    def masked(self) -> bool:
        """Whether its robustness is an over-estimate, or means nothing; drawn hollow."""
        return self.verdict in ("masked", "invalid")

    def value(self, objective: Objective) -> float:
        """Its value of one objective."""
        return self.measurements[objective.name].value


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The front of one study.

    Attributes:
        title: data set, network, epsilon, images.
        objectives: at least one, in any order.
        points: everything that was measured completely.
        chosen: trial number of the selected candidate, if any.
        confirmed: whether it was selected by values that were confirmed, which are not the ones shown here.
        limits: objective name and value of each limit, drawn as a line.
    """

    title: str
    objectives: tuple[Objective, ...]
    points: tuple[Point, ...]
    chosen: int | None = None
    confirmed: bool = False
    limits: tuple[tuple[str, float], ...] = ()

    @property
    def axes(self) -> tuple[Objective, ...]:
        """The objectives with costs first, so that costs lie on the horizontal axes."""
        return tuple(sorted(self.objectives, key=lambda objective: objective.maximize))

    @property
    def pairs(self) -> tuple[tuple[Objective, Objective], ...]:
        """Horizontal and vertical objective of each panel: every pair once, costs before accuracies."""
        return tuple(combinations(self.axes, 2))

    @property
    def front(self) -> tuple[Point, ...]:
        """The front's points, along the first axis."""
        first = self.axes[0]
        return tuple(sorted((p for p in self.points if p.front), key=lambda p: (p.value(first), p.number)))

    @property
    def numbered(self) -> tuple[Point, ...]:
        """At most NUMBERED points of the front: the selected, the best of each objective, the rest evenly."""
        front = self.front
        kept = {p.number for p in front if p.number == self.chosen}
        kept |= {max(front, key=lambda p: _merit(p, o)).number for o in self.axes if front}
        rest = [p.number for p in front if p.number not in kept]
        room = max(0, NUMBERED - len(kept))
        kept |= {rest[(2 * i + 1) * len(rest) // (2 * room)] for i in range(room)} if len(rest) > room else {*rest}
        return tuple(p for p in front if p.number in kept)


def _merit(point: Point, objective: Objective) -> float:
    """More is better."""
    return point.value(objective) * (1 if objective.maximize else -1)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How a front grew.

    Attributes:
        title: as Scene.title.
        trace: per finished trial, in order: seconds of running time, and the hypervolume from then on.
    """

    title: str
    trace: Sequence[tuple[float, float]]


def projected_front(values: Sequence[tuple[float, float]], maximize: tuple[bool, bool]) -> list[tuple[float, float]]:
    """The points of a plane that no other point beats in both directions, by rising x, each once.

    Args:
        values: (x, y) pairs, finite.
        maximize: whether more is better, per direction.
    """
    signs = [1 if up else -1 for up in maximize]
    best: list[tuple[float, float]] = []
    for x, y in sorted(set(values), key=lambda v: (-signs[0] * v[0], -signs[1] * v[1])):
        if not best or signs[1] * y > signs[1] * best[-1][1]:
            best.append((x, y))
    return sorted(best)


def staircase(
    values: Sequence[tuple[float, float]],
    maximize: tuple[bool, bool],
    rim: tuple[tuple[float, float], tuple[float, float]],
) -> list[tuple[float, float]]:
    """Corners of the line that parts what the points equal or beat from what none reaches.

    Args:
        values: (x, y) pairs, finite.
        maximize: whether more is better, per direction.
        rim: (left, right) and (bottom, top), where the line starts and ends.
    Returns: corners by rising x, empty without points; every piece runs along one axis.
    """
    steps = projected_front(values, maximize)
    if not steps:
        return []
    (left, right), (bottom, top) = rim
    worst = bottom if maximize[1] else top
    start = (left, steps[0][1]) if maximize[0] else (steps[0][0], worst)
    end = (steps[-1][0], worst) if maximize[0] else (right, steps[-1][1])
    inner = [steps[0]]
    for (x0, y0), (x1, y1) in pairwise(steps):
        inner += [(x0, y1) if maximize[0] else (x1, y0), (x1, y1)]
    return [start, *inner, end]
