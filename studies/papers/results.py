"""The result of one row and seed: a file that is either whole or absent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from evaluators.base import Measurement
from space.errors import unwritable
from studies.header import versions
from studies.papers.setup import Judges, Setup, open_judge
from studies.papers.table import Row
from studies.storage.files import write_text

FORMAT = 1
"""Raised when an older version could misread a result."""

DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a damaged result may raise."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was measured of one row with one seed.

    Attributes:
        identity: everything the figures depend on.
        measurements: by column.
        seconds: wall time, trainings included unless their networks were in the cache.
        trained: networks trained for it; the others came from the cache.
        machine, versions: what it was measured on, and with.
        date: when it was finished, UTC.
    """

    identity: Mapping[str, Any]
    measurements: Mapping[str, Measurement]
    seconds: float
    trained: int
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    date: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {
            "format": FORMAT,
            "measurements": {name: one.to_json() for name, one in self.measurements.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; ValueError for another format."""
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}")
        fields = {name: data[name] for name in cls.__dataclass_fields__}
        fields["measurements"] = {name: Measurement.from_json(one) for name, one in data["measurements"].items()}
        return cls(**fields)


def read_result(path: Path, identity: Mapping[str, Any]) -> Result | None:
    """The result in a file, None if there is none of this identity (a damaged one counts as absent)."""
    try:
        result = Result.from_json(json.loads(path.read_text(encoding="utf-8")))
    except DAMAGE:
        return None
    return result if result.identity == as_json(identity) else None


def measure_row(setup: Setup, row: Row, seed: int) -> Result:
    """Train or fetch a row's members, attack them on the test set, and write the result.

    Raises: UserError, FloatingPointError when a training diverges.
    """
    judge = open_judge(setup, seed)
    began, trained = time.perf_counter(), _trainings(judge)
    measurements = {**_costs(setup, row), **_accuracies(setup, row, judge)}
    result = Result(
        identity=as_json(setup.identity(row, judge.protocol)),
        measurements={column.name: measurements[column.name] for column in setup.design.columns},
        seconds=time.perf_counter() - began,
        trained=_trainings(judge) - trained,
        machine=setup.machine.to_json(),
        versions=versions(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    save_result(setup.path(row, seed), result)
    return result


def save_result(path: Path, result: Result) -> None:
    """Write a result at once, replacing an older one; UserError where nothing can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(result.to_json(), indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise unwritable(path.parent, error) from error


def as_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from a file: tuples as lists."""
    same: dict[str, Any] = json.loads(json.dumps(data))
    return same


def _costs(setup: Setup, row: Row) -> dict[str, Measurement]:
    """Exact, at the paper's own width and image size."""
    from evaluators import OBJECTIVES, cost_report
    from space import Candidate

    costs = {column.name: column.cost for column in setup.design.columns if column.cost}
    if not costs:
        return {}
    report = cost_report(Candidate.parse(row.candidate), setup.design.network)
    return {name: Measurement(value=report.total(cost), unit=OBJECTIVES[cost].unit) for name, cost in costs.items()}


def _accuracies(setup: Setup, row: Row, judge: Judges) -> dict[str, Measurement]:
    """Clean accuracy and attacks, which are dear, each on as many test images as the scale says."""
    candidate = setup.candidate(row.candidate)
    specs = {one.name: setup.attack(row, one.name) for one in setup.design.columns if not one.cost}
    clean = [name for name, spec in specs.items() if spec is None]
    attacked = {name: spec for name, spec in specs.items() if spec is not None}
    plain = judge.judge(candidate, [None] * len(clean), part="test", images=setup.scale.clean_images)
    harmed = judge.judge(candidate, list(attacked.values()), part="test", images=setup.scale.images)
    return dict(zip([*clean, *attacked], [*plain, *harmed], strict=True))


def _trainings(judge: Judges) -> int:
    return int(judge.pool.trained) if hasattr(judge, "pool") else 0
