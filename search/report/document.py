"""A study as one JSON document: all that its report shows, and nothing of how it looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from evaluators.objectives import find_objectives
from search.console import by_cost
from search.formats import clock, probability
from search.pictures import axes_of, title_of
from search.report.again import confirm_command
from search.report.choices import chosen_by
from search.report.confirmed import confirmation_of
from search.report.details import Surroundings, details_of
from search.report.figures import growth_figure, importance_figure
from search.report.found import audited_in
from search.report.importance import HOW, LEAST, Importance, as_json, importances
from search.report.parallel import parallel_of
from search.report.points import axis_of, point_of, shown
from studies import AUTO, Record, Study, complete_records, hypervolume_trace, read_confirmation

Json = dict[str, Any]


def document_of(
    study: Study, chosen: int | None = None, samples: Mapping[int, Sequence[Json] | str] | None = None
) -> Json:
    """Everything that the report of a study shows.

    Args:
        study: with any number of records.
        chosen: trial number of the selected candidate, if there is one.
        samples: adversarial images by trial number, see `search.report.images`.
    """
    records, objectives = _measured(study), find_objectives(axes_of(study.config.objectives))
    front, sure = study.front(), study.front_probability()
    numbers = {record.number for record in front}
    points = [
        point_of(one, objectives, front=one.number in numbers, chosen=one.number == chosen, sure=sure.get(one.number))
        for one in records
    ]
    across = sorted(objectives, key=lambda one: one.maximize)
    around = Surroundings(
        study=study.folder,
        protocol=study.config.protocol,
        budget=study.config.budget,
        sure=sure,
        audited=audited_in(study.folder),
        samples=samples or {},
    )
    return {
        "title": title_of(study, study.records()),
        "study": study.folder.name or str(study.folder),
        "facts": _facts(study),
        "axes": [axis_of(one) for one in across],
        "pairs": [[one.name, other.name] for one, other in combinations(across, 2)],
        "limits": [[limit.objective, limit.op, limit.value] for limit in study.config.limits],
        "points": points,
        "parallel": parallel_of(points, across),
        "columns": [one.name for one in across],
        "rows": [_row(one, [axis.name for axis in across], sure, numbers) for one in _ordered(study, records)],
        "confirmation": confirmation_of(confirmed) if (confirmed := read_confirmation(study.folder)) else None,
        "unconfirmed": confirm_command(study.folder),
        "growth": growth_figure(_trace(study)),
        "importance": _importance(study),
        "details": [details_of(one, around, front=one.number in numbers) for one in records],
    }


def _measured(study: Study) -> list[Record]:
    """Completely measured candidates, each once, by number."""
    first = {record.key: record for record in reversed(complete_records(study.records()))}
    return sorted(first.values(), key=lambda record: record.number)


def _ordered(study: Study, records: Sequence[Record]) -> list[Record]:
    return by_cost(records, axes_of(study.config.objectives))


def _row(record: Record, names: Sequence[str], sure: Mapping[int, float], front: set[int]) -> Json:
    """One row of the tables."""
    return {
        "number": record.number,
        "candidate": record.candidate,
        "front": record.number in front,
        "cells": [shown(record, name) for name in names],
        "probability": probability(sure.get(record.number)),
        "verdict": record.verdict,
    }


def _facts(study: Study) -> list[list[str]]:
    """Label and text of what was searched, and how."""
    config, records = study.config, study.records()
    states = Counter(record.state for record in records if not record.repeats)
    aside = [f"{states[one]} {one}" for one in ("stopped", "vetoed", "failed", "duplicate") if states[one]]
    evaluated = sum(record.evaluated for record in records)
    facts = {
        "objectives": ", ".join(config.objectives),
        "limits": ", ".join(map(str, config.limits)),
        "candidates": ", ".join((f"{evaluated} evaluated", *aside)),
        "running time": clock(max((record.at for record in records), default=0.0)),
        "one evaluation": f"epochs: {config.budget.epochs}, {config.budget.images} validation images attacked, "
        f"{config.budget.steps} steps",
        "sampler": _sampler(study),
        "seed": str(config.seed),
        "versions": ", ".join(f"{name} {version}" for name, version in study.versions.items()),
    }
    return [[name, text] for name, text in facts.items() if text]


def _sampler(study: Study) -> str:
    """Its name, and why `auto` took it."""
    choice = study.choice
    if choice is None:
        return study.config.sampler
    return f"{choice.chosen}, for {choice.reason}" if choice.asked == AUTO else choice.chosen


def _trace(study: Study) -> list[tuple[float, float]]:
    config, bounds = study.config, study.bounds
    return hypervolume_trace(study.records(), config.objectives, bounds, config.terms) if bounds else []


def _importance(study: Study) -> Json:
    """Which choices bring a candidate to the front; or why that is not said."""
    known = [one for one in study.records() if one.state in ("complete", "stopped") and chosen_by(one.candidate)]
    sure, judged = study.front_probability(), list({one.key: one for one in reversed(known)}.values())
    found = importances(
        [chosen_by(one.candidate) for one in judged], [sure.get(one.number, 0.0) for one in judged], study.config.seed
    )
    return {
        "how": HOW,
        "candidates": len(judged),
        "why_not": "" if found else _why_not(len(judged)),
        "figure": importance_figure(found) if found else None,
        "choices": [as_json(one) for one in _telling(found)],
    }


def _telling(found: Sequence[Importance]) -> list[Importance]:
    """Those that explain anything beyond chance."""
    return [one for one in found if one.beyond_chance > 0]


def _why_not(judged: int) -> str:
    if judged < LEAST:
        return f"{judged} candidates are too few: with fewer than {LEAST}, chance explains about as much as any choice."
    return "All candidates have the same P(front), so no choice explains any difference."
