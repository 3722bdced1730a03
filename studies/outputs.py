"""The files a run leaves: derived from records, at any time."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from space.errors import UserError, unwritable
from space.shown import csv_text
from studies.fronts.history import hypervolume_trace
from studies.limits import Limit
from studies.listed import Listed
from studies.lock import LOCK_FILE, read_lock
from studies.records import STATES, Record, front
from studies.selection.locking import lock_of, remembering
from studies.selection.offer import Offer
from studies.selection.rules.reading import check_rule, default_rule
from studies.selection.select import Selection
from studies.storage.files import write_text
from studies.storage.place import SUMMARY
from studies.study import Study

Columns = dict[str, Callable[[Record], object]]
"""How the cells of each column of a table follow from a record."""

Sure = Mapping[int, float]
"""Probability of being on the front, by number of the trial; none for what the terms do not admit."""


def write_outputs(
    study: Study, rule: str | None = None, limits: Sequence[Limit] = (), evaluator: object = None
) -> Selection | None:
    """Write study.json, trials.csv, front.csv, front.json and selected.json into the study's folder.

    Args:
        study: with at least one run behind it.
        rule: see `select`; None for its default.
        limits: of the selection, on top of the study's; the front keeps to the study's own.
        evaluator: of the study, for the weights' hashes in the lock file; see `lock_of`.
    Returns: the selection, or None if the terms admit nothing; there is no selected.json then.
    Raises: UserError for an unknown rule or a folder that can't be written.
    """
    objectives, named = study.config.objectives, study.config.named
    check_rule(rule or default_rule(objectives), objectives)
    records = study.records()
    members, sure = front(records, objectives, study.config.terms), study.front_probability()
    _write(study, SUMMARY, _json(study_json(study, records)))
    _write(study, "trials.csv", trials_csv(records, named, sure))
    _write(study, "front.csv", front_csv(members, named, sure))
    _write(study, "front.json", _json(front_json(members, objectives, sure)))
    terms, offer = study.config.terms.tightened(limits), Offer.of(study)
    if not front(offer.records, objectives, terms):
        (study.folder / LOCK_FILE).unlink(missing_ok=True)
        return None
    selection = offer.select(objectives, terms, rule)
    write_selected(study, selection, evaluator)
    return selection


def write_selected(study: Study, selection: Selection, evaluator: object = None) -> Path:
    """Write the lock file selected.json into the study's folder; UserError if that can't be written.

    Weights that the file names already are not forgotten where the evaluator does not know them.

    Args:
        study, selection, evaluator: see `lock_of`.
    """
    lock = lock_of(study, selection, evaluator)
    with suppress(UserError):  # none yet, or one that can't be read
        lock = remembering(lock, read_lock(study.folder))
    return _write(study, LOCK_FILE, _json(lock.to_json()))


def study_json(study: Study, records: Sequence[Record]) -> dict[str, Any]:
    """Everything known of a study, its records in full."""
    trace: list[tuple[float, float]] = []
    if study.bounds is not None:
        trace = hypervolume_trace(records, study.config.objectives, study.bounds, study.config.terms)
    states = Counter(record.state for record in records)
    return {
        "config": study.config.to_json(),
        "sampler": study.choice.to_json() if study.choice else None,
        "versions": study.versions,
        "bounds": study.bounds.to_json() if study.bounds else None,
        "design": list(study.design),
        "states": {state: states[state] for state in STATES},
        "evaluated": sum(record.evaluated for record in records),
        "seconds": max((record.at for record in records), default=0.0),
        "hypervolume": [list(pair) for pair in trace],
        "front_probability": {str(one): share for one, share in study.front_probability().items() if share},
        "records": [record.to_json() for record in records],
    }


def front_json(members: Iterable[Record], objectives: Sequence[str], sure: Sure) -> dict[str, Any]:
    """The front with all measurements of its records, and how sure it is that each is on it."""
    return {
        "objectives": list(objectives),
        "front": [Listed.of(record, sure.get(record.number)).to_json() for record in members],
    }


def trials_csv(records: Iterable[Record], named: Sequence[str], sure: Sure) -> str:
    """A row per trial: number, candidate, origin, state, seconds, the named objectives, what is said of robustness and
    of the front, reason.

    An objective has its value and NAME_se, one under attack NAME_low and NAME_high as well (the 95 % interval).
    Robustness has pgd_naive, gap, verdict and rules. Empty is what was not measured, and the probability of being on
    the front where the terms do not admit a record.
    """
    columns: Columns = {
        "number": lambda record: record.number,
        "candidate": lambda record: record.candidate,
        "origin": lambda record: record.origin,
        "state": lambda record: record.state,
        "seconds": lambda record: f"{record.seconds:.3f}",
    }
    return _csv(columns | _measured(named, sure) | {"reason": lambda record: record.reason}, records)


def front_csv(members: Iterable[Record], named: Sequence[str], sure: Sure) -> str:
    """A row per record of the front: number, candidate, origin, runs, and as in `trials_csv` what was measured.

    What was measured in several runs has their mean here, and each of them a row in `trials_csv`.
    """
    columns: Columns = {
        "number": lambda record: record.number,
        "candidate": lambda record: record.candidate,
        "origin": lambda record: record.origin,
        "runs": lambda record: record.runs,
    }
    return _csv(columns | _measured(named, sure), members)


def _measured(named: Sequence[str], sure: Sure) -> Columns:
    """The columns of objectives, in full precision, those of robustness, and that of the front."""
    columns: Columns = {}
    for name in named:
        columns[name] = _part(name, lambda one: one.value)
        columns[f"{name}_se"] = _part(name, lambda one: one.stderr)
        if OBJECTIVES[name].stage == "attack":
            columns[f"{name}_low"] = _part(name, lambda one: one.interval[0])
            columns[f"{name}_high"] = _part(name, lambda one: one.interval[1])
    columns["pgd_naive"] = _part("pgd_naive", lambda one: one.value)
    return columns | {
        "gap": lambda record: "" if record.gap is None else record.gap,
        "verdict": lambda record: record.verdict,
        "rules": lambda record: " ".join(record.rules),
        "front_probability": lambda record: sure.get(record.number, ""),
    }


def _part(name: str, part: Callable[[Measurement], object]) -> Callable[[Record], object]:
    """What a cell takes from one measurement; empty where there is none."""
    return lambda record: part(record.measurements[name]) if name in record.measurements else ""


def _csv(columns: Columns, records: Iterable[Record]) -> str:
    return csv_text([*columns], ([cell(record) for cell in columns.values()] for record in records))


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write(study: Study, name: str, text: str) -> Path:
    try:
        return write_text(study.folder / name, text)
    except OSError as error:
        raise unwritable(study.folder, error) from error
