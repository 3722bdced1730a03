"""The points of the linked pictures: one for each completely measured candidate."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.objectives import OBJECTIVES, Objective
from search.formats import bounded, measured, probability
from search.report.figures import plain
from studies import Record

WIDTH = 44
"""Letters after which a candidate goes on in the next line of a label."""

LOOKS = {"suspect": "suspect", "masked": "masked", "invalid": "masked"}
"""How a verdict is drawn; all others as "ok"."""


def point_of(record: Record, objectives: Sequence[Objective], *, front: bool, chosen: bool, sure: float | None) -> Any:
    """One point as a JSON object: where it lies, how it is drawn and what is written beside it.

    Args:
        record: complete.
        objectives: the axes.
        front: whether it is on the front.
        chosen: whether it is the selected one.
        sure: its P(front), None where it is not known.
    """
    known = {one.name: record.measurements[one.name] for one in objectives}
    return {
        "number": record.number,
        "candidate": record.candidate,
        "front": front,
        "chosen": chosen,
        "look": LOOKS.get(record.verdict, "ok"),
        "values": {name: one.value for name, one in known.items()},
        "intervals": {name: list(one.interval) for name, one in known.items()},
        "hover": _hover(record, objectives, sure),
    }


def axis_of(objective: Objective) -> dict[str, Any]:
    """What a picture should know of an objective."""
    return {
        "name": objective.name,
        "title": titled(objective),
        "maximize": objective.maximize,
        "fraction": objective.unit == "fraction",
    }


def titled(objective: Objective) -> str:
    """Its label and unit; a fraction is shown in percent."""
    unit = "" if objective.unit in ("fraction", "bit-ops", "operations") else f" ({objective.unit})"
    return f"{objective.label}{unit}"


def shown(record: Record, name: str) -> str:
    """A measurement in its unit; with its interval where it is a robust accuracy, else with its standard error."""
    one = record.measurements.get(name)
    if one is None:
        return "–"
    return bounded(one) if name in OBJECTIVES and OBJECTIVES[name].stage == "attack" else measured(one)


def _hover(record: Record, objectives: Sequence[Objective], sure: float | None) -> str:
    """Lines of a label: the candidate, its values with their intervals, and what is said of it."""
    values = [f"{one.name} {bounded(record.measurements[one.name])}" for one in objectives]
    rules = f" ({', '.join(record.rules)})" if record.rules else ""
    said = [f"{record.verdict}{rules}"] if record.verdict != "unchecked" else []
    said += [f"P(front) {probability(sure)}"] if sure is not None else []
    name = f"#{record.number} {record.candidate}"
    parts = [name[start : start + WIDTH] for start in range(0, len(name), WIDTH)]
    return f"<b>{'<br>'.join(map(plain, parts))}</b><br>" + "<br>".join(map(plain, (*values, *said)))


def values_of(points: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """One objective of every point."""
    return [point["values"][name] for point in points]
