"""From a study's records to its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.objectives import OBJECTIVES, find_objectives, stage_of
from search.formats import radius
from search.reading import selected_in
from space import Candidate
from space.errors import unwritable
from space.shown import line
from studies import complete_records, hypervolume_trace

if TYPE_CHECKING:
    from search.plots import Growth, Point, Scene
    from studies import Record, Study


def draw_pictures(study: Study) -> dict[str, Path]:
    """Write front.png and history.png into the folder of a study with any number of records.

    Returns: path of each picture by "front" and "history".
    Raises: UserError for a folder that can't be written, or a damaged lock file in it.
    """
    from search.plots import draw_front, draw_history, save

    figures = {"front": draw_front(scene_of(study)), "history": draw_history(growth_of(study))}
    paths = {name: study.folder / f"{name}.png" for name in figures}
    try:
        for name, figure in figures.items():
            save(figure, paths[name])
    except OSError as error:
        raise unwritable(study.folder, error) from error
    return paths


def scene_of(study: Study) -> Scene:
    """What the picture of the front shows: one point per completely measured candidate, and what is selected."""
    from search.plots import Scene

    selected = selected_in(study.folder)
    records = {record.key: record for record in reversed(complete_records(study.records()))}
    front, sure = {record.number for record in study.front()}, study.front_probability()
    return Scene(
        title=title_of(study, records.values()),
        objectives=find_objectives(axes_of(study.config.objectives)),
        points=tuple(_point(record, front, sure.get(record.number)) for record in records.values()),
        chosen=selected.number if selected else None,
        confirmed=selected is not None and selected.confirmed,
        limits=tuple((limit.objective, limit.value) for limit in study.config.limits),
    )


def axes_of(objectives: Sequence[str]) -> tuple[str, ...]:
    """The objectives; a single one is drawn over a cost, which every record has."""
    costs = [name for name, one in OBJECTIVES.items() if one.stage == "cost" and name not in objectives]
    return (*objectives, *costs[: 2 - len(objectives)]) if len(objectives) < 2 else tuple(objectives)


def growth_of(study: Study) -> Growth:
    """What the picture of the study's progress shows."""
    from search.plots import Growth

    config, records, bounds = study.config, study.records(), study.bounds
    trace = hypervolume_trace(records, config.objectives, bounds, config.terms) if bounds else []
    return Growth(title=title_of(study, records), trace=trace)


def title_of(study: Study, records: Iterable[Record]) -> str:
    """Data set, network, epsilon and images under attack."""
    protocol, budget = study.config.protocol, study.config.budget
    attacked = [m.n for r in records for name, m in r.measurements.items() if stage_of(name) == "attack"]
    images = f", {max(attacked)} images attacked with {budget.steps} steps" if attacked else ""
    threat = "" if protocol.threat == "raw" else f" ({protocol.threat})"
    return line(f"{Path(protocol.dataset).name}, {protocol.network}, ε = {radius(protocol.epsilon)}{threat}{images}")


def _point(record: Record, front: set[int], probability: float | None) -> Point:
    from search.plots import Point

    return Point(
        number=record.number,
        candidate=record.candidate,
        ensemble=len(Candidate.parse(record.candidate).members) > 1,
        front=record.number in front,
        measurements=record.measurements,
        verdict=record.verdict,
        probability=probability,
    )
