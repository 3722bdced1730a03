"""Where the results of a confirmation are kept while it goes on, and what they come to."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from space.candidate import Candidate
from space.errors import unwritable
from studies.confirmation.confirmed import CONFIRMED_FILE, Confirmation, SeedResult
from studies.confirmation.plan import Plan
from studies.confirmation.standing import judged
from studies.lock import UNREADABLE
from studies.records import Record
from studies.storage.files import make_folder, write_text
from studies.study import Study

RESULTS = "confirmation"
"""Folder of what was finished, a file for every candidate and seed."""

Measure = Callable[[Candidate, int], SeedResult]
"""Trains a candidate by a seed, at the full budget, and measures it."""


class Bench:
    """Where the results of a confirmation are kept while it goes on: nothing that was finished is measured again.

    Attributes:
        folder: of all its files.
        plan: what is to be done.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan

    def find(self, record: Record, seed: int) -> SeedResult | None:
        """What was finished before; None where nothing was, or the file is damaged."""
        try:
            found = SeedResult.from_json(json.loads(self._path(record, seed).read_text(encoding="utf-8")))
        except UNREADABLE:
            return None
        whole = found.failure or found.measurements.keys() >= {*self.plan.objectives}
        return found if whole and found.seed == seed else None

    def keep(self, record: Record, result: SeedResult) -> None:
        """Write what was finished; UserError for a folder that can't be written."""
        make_folder(self.folder / RESULTS)
        content = {"candidate": record.candidate, **result.to_json()}
        _write(self._path(record, result.seed), json.dumps(content, indent=1, ensure_ascii=False))

    def obtain(self, record: Record, seed: int, measure: Measure) -> SeedResult:
        """What was finished before, or what `measure` finds now, which is kept."""
        if (known := self.find(record, seed)) is not None:
            return known
        result = measure(Candidate.parse(record.candidate), seed)
        self.keep(record, result)
        return result

    def confirmation(self, study: Study, versions: Mapping[str, str]) -> Confirmation:
        """What all that is finished comes to; candidates without any result are rows without measurements."""
        plan = self.plan
        results = {
            record.number: tuple(one for seed in plan.seeds if (one := self.find(record, seed)) is not None)
            for record in plan.records
        }
        return Confirmation(
            study=study.folder.resolve().name,
            objectives=plan.objectives,
            terms=plan.terms,
            protocol=plan.protocol,
            budget=plan.budget,
            verification=plan.verification,
            near=plan.near,
            seeds=plan.seeds,
            rows=judged(plan, results),
            versions=versions,
        )

    def _path(self, record: Record, seed: int) -> Path:
        return self.folder / RESULTS / f"{self.plan.address(record, seed)}.json"


def write_confirmation(folder: Path, confirmation: Confirmation) -> Path:
    """Write confirmed.json; UserError for a folder that can't be written."""
    content = json.dumps(confirmation.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return _write(folder / CONFIRMED_FILE, content)


def _write(path: Path, content: str) -> Path:
    try:
        return write_text(path, content)
    except OSError as error:
        raise unwritable(path.parent, error) from error
