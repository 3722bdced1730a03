"""`audit STUDY|SPEC`: a study's front, or one candidate, looked at again on images that no search has seen."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.base import Measurement
from evaluators.verdict import JUDGED
from search.audited import Subject, read_subject
from search.console import note, say, say_json
from search.formats import clock, radius
from search.opening import one_evaluation
from search.tables.audits import Entry, audit_csv, entries_json, falls, print_audit, still_best
from space import Candidate
from space.errors import unwritable
from studies import Record
from studies.storage.files import make_folder, write_text
from studies.storage.place import check_writable

if TYPE_CHECKING:
    from evaluators import Evaluator
    from evaluators.robustness.verification.settings import Verification
    from evaluators.robustness.verification.verify import Verifier


def execute(args: Namespace) -> int:
    """Verify every candidate, print what became of its number, and leave audit.json and audit.csv."""
    from evaluators.robustness.verification.autoattack import available
    from evaluators.robustness.verification.settings import Verification
    from evaluators.robustness.verification.verify import Verifier

    efforts = {name: getattr(args, name) for name in ("images", "steps", "restarts", "queries", "binarized", "twins")}
    settings = Verification(**efforts)
    subject = read_subject(args)
    for candidate, _ in subject.candidates:
        subject.evaluator.cost(candidate)  # says what does not fit
    folder = _folder(args.out or subject.study)
    if not available():
        note("without attacks of another library: pyautoattack is not installed; pip install 'bitfront[audit]'")
    entries = _verified(subject, Verifier(evaluator=subject.evaluator, settings=settings, tell=_tell))
    keep = still_best(entries, subject.objectives)
    document = _document(subject, settings, entries, keep)
    if folder:
        _write(folder / "audit.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        _write(folder / "audit.csv", audit_csv(entries, keep))
    if args.json:
        say_json(document)
        return 0
    print_audit(entries, keep, _title(subject, settings))
    if folder:
        say(f"files: {folder / 'audit.json'}, {folder / 'audit.csv'}")
    return 0


def _verified(subject: Subject, verifier: Verifier) -> list[Entry]:
    """Every candidate, one after the other."""
    entries = []
    for place, (candidate, record) in enumerate(subject.candidates):
        note(f"[{place + 1}/{len(subject.candidates)}] {candidate}")
        with one_evaluation():
            verified = verifier.verify(candidate, _searched(subject.evaluator, candidate, record))
        note(f"  {verified.verdict}, {clock(verified.seconds)}")
        entries.append(Entry(verified=verified, record=record))
    return entries


def _searched(evaluator: Evaluator, candidate: Candidate, record: Record | None) -> Measurement | None:
    """The number of the search; measured where there was none."""
    if record is not None:
        return record.measurements.get(JUDGED)
    return dict(evaluator.measure(candidate, [JUDGED]))[JUDGED]


def _document(
    subject: Subject, settings: Verification, entries: Sequence[Entry], keep: Sequence[bool]
) -> dict[str, Any]:
    """Everything needed to compare and to repeat it."""
    return {
        "study": None if subject.study is None else str(subject.study),
        "objectives": list(subject.objectives),
        "protocol": asdict(subject.evaluator.protocol),
        "budget": asdict(subject.evaluator.budget),
        "verification": asdict(settings),
        "falls": falls(entries),
        "entries": entries_json(entries, keep),
    }


def _title(subject: Subject, settings: Verification) -> str:
    protocol = subject.evaluator.protocol
    images = min(settings.images, len(subject.evaluator.data.test))
    place = f"{Path(protocol.dataset).name}, {protocol.network}, ε = {radius(protocol.epsilon)}"
    return f"{len(subject.candidates)} audited on {images} test images: {place}"


def _tell(text: str) -> None:
    note(f"  {text}")


def _folder(path: Path | None) -> Path | None:
    """The folder, made where there is none; that it can be written is found out before any training."""
    if path:
        make_folder(path)
        check_writable(path)
    return path


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise unwritable(path.parent, error) from error
