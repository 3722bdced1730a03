"""What the page of one candidate shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators import DIAGNOSTICS
from evaluators.base import Budget, Protocol
from evaluators.objectives import AT, OBJECTIVES
from search.formats import bounded, clock, interval, number, points, probability
from search.report import again
from search.report.choices import chosen_by
from search.report.diagnosed import figures_of
from search.report.figures import Figure, layers_figure
from search.report.found import diagnostics_folder, tables_in
from space import Candidate, UserError
from studies import Record

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all pages of a study share.

    Attributes:
        study: its folder.
        protocol, budget: of the study.
        sure: P(front) by number.
        audited: what an audit found, by number.
        samples: adversarial images by number, see `search.report.images`; a text says why there are none.
    """

    study: Path
    protocol: Protocol
    budget: Budget
    sure: Mapping[int, float]
    audited: Mapping[int, Json]
    samples: Mapping[int, Sequence[Json] | str]


def details_of(record: Record, around: Surroundings, *, front: bool) -> Json:
    """The page of one candidate as a JSON object."""
    figures, lacking = _figures(record, around)
    return {
        "number": record.number,
        "candidate": record.candidate,
        "facts": _facts(record, around, front),
        "rules": list(record.rules),
        "choices": [[name, str(value)] for name, value in chosen_by(record.candidate).items()],
        "measurements": [_row(name, record) for name in _names(record)],
        "audit": _audit(record, around),
        "figures": [{"title": title, "figure": one} for title, one in figures],
        "samples": _samples(record, around),
        "lacking": lacking + _unsampled(record, around, front) + _unaudited(record, around, front),
    }


def _facts(record: Record, around: Surroundings, front: bool) -> list[list[str]]:
    """Label and text of what is known at a glance."""
    sure = around.sure.get(record.number)
    facts = {
        "on the front": "yes" if front else "no",
        "P(front)": probability(sure),
        "robustness": record.verdict,
        "gap": "" if record.gap is None else f"{points(record.gap)} points",
        "proposed by": record.origin,
        "trainings": str(record.runs),
        "seconds": clock(record.seconds),
    }
    return [[name, text] for name, text in facts.items() if text]


def _names(record: Record) -> list[str]:
    """What was measured, in the order of a trial; rungs and bounds are left out."""
    return [name for name in OBJECTIVES if name in record.measurements and AT not in name]


def _row(name: str, record: Record) -> Json:
    one = record.measurements[name]
    return {
        "name": name,
        "label": OBJECTIVES[name].label,
        "value": number(one.value, one.unit),
        "interval": interval(one),
        "images": str(one.n) if one.n else "",
        "flags": ", ".join(one.flags),
    }


def _figures(record: Record, around: Surroundings) -> tuple[list[tuple[str, Figure]], list[Json]]:
    """The figures that there are, and which command makes those that lack."""
    figures: list[tuple[str, Figure]] = []
    lacking: list[Json] = []
    if layers := _layers(record, around.protocol):
        figures.append(("bit operations of every layer", layers))
    else:
        command = again.cost_command(record.candidate, around.protocol.network)
        lacking.append({"what": "layers: the network is of other images than usual", "command": command})
    folder = diagnostics_folder(around.study, record.number)
    tables = tables_in(folder)
    for name in DIAGNOSTICS:
        if name in tables:
            figures += figures_of(tables[name])
    if len(tables) < len(DIAGNOSTICS):
        missing = ", ".join(name for name in DIAGNOSTICS if name not in tables)
        command = again.diagnose_command(record.candidate, around.protocol, around.budget, folder)
        lacking.append({"what": f"diagnostics ({missing})", "command": command})
    return figures, lacking


def _layers(record: Record, protocol: Protocol) -> Figure | None:
    """None where the study's images or classes are not those of the network's paper: it costs something else then."""
    from evaluators import cost_report

    try:
        report = cost_report(Candidate.parse(record.candidate), protocol.network)
    except UserError:
        return None
    measured = record.measurements.get("bops")
    return None if measured and measured.value != report.total("bops") else layers_figure(report)


def _audit(record: Record, around: Surroundings) -> Json | None:
    """What an audit of this very candidate found."""
    found = around.audited.get(record.number)
    if found is None or found["candidate"] != record.candidate:
        return None
    return {
        "images": found["images"],
        "verdict": found["verdict"],
        "clean": bounded(found["clean"]),
        "worst": bounded(found["worst"]),
    }


def _samples(record: Record, around: Surroundings) -> list[Json]:
    found = around.samples.get(record.number, ())
    return [] if isinstance(found, str) else list(found)


def _unsampled(record: Record, around: Surroundings, front: bool) -> list[Json]:
    """How adversarial images come into the page; they are made for the front alone."""
    if not front or _samples(record, around):
        return []
    why = around.samples.get(record.number)
    reason = f": {why}" if isinstance(why, str) else ""
    return [{"what": f"adversarial images{reason}", "command": again.report_command(around.study, 4)}]


def _unaudited(record: Record, around: Surroundings, front: bool) -> list[Json]:
    lacks = front and _audit(record, around) is None and "pgd" in record.measurements
    return [{"what": "a second look on test images", "command": again.audit_command(around.study)}] if lacks else []
