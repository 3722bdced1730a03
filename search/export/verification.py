"""Measures an export again, from its files; only what passes is deployable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.verdict import JUDGED
from search.export.checks import Check, agreement, failures, readable, small_enough, within
from search.export.exams import Tally, attacked_batches, clean_batches, examined
from search.export.folders import CARD, FILES, VERIFIED
from search.export.latency import Latency, measure_latency
from search.export.programs import ONNX
from search.export.running import PACKED, READERS
from search.export.subject import Subject, Tell

if TYPE_CHECKING:
    from search.export.running import Decides
    from studies import Lock

TEST, CLAIMED, ATTACKED = "test", "claimed", "attacked"
"""Images of an exam: all test images, those that the lock's accuracy is of, and adversarial ones."""

FLOAT32 = "float32 weights of one network"
"""Under which its size stands beside those of the files."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out.

    Attributes:
        checks: one after the other; all must have passed.
        exams: by what images, then by file: what each made of them.
        sizes: bytes of each file, and of the float32 network's weights.
        latency: for each batch size; none where the graph can't be run.
        digests: sha256 of each file that was looked at.
    """

    checks: tuple[Check, ...]
    exams: Mapping[str, Mapping[str, Tally]]
    sizes: Mapping[str, int]
    latency: tuple[Latency, ...]
    digests: Mapping[str, str]

    @property
    def deployable(self) -> bool:
        """Whether every check passed."""
        return all(one.passed for one in self.checks)

    @property
    def failures(self) -> list[str]:
        """What failed, a phrase each."""
        return failures(self.checks)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "deployable": self.deployable,
            "failures": self.failures,
            "checks": [one.to_json() for one in self.checks],
            "measured": {
                exam: {file: tally.to_json() for file, tally in found.items()} for exam, found in self.exams.items()
            },
            "sizes": dict(self.sizes),
            "latency": [one.to_json() for one in self.latency],
            "sha256": dict(self.digests),
        }


def verify(folder: Path, subject: Subject, tell: Tell) -> Outcome:
    """Read every file back and judge it on clean and on attacked images.

    Args:
        folder: with all files but verify.json and the model card.
        subject: what they were written from.
        tell: hears what is under way.
    """
    files, checks = _opened(folder, subject)
    exams = _exams(files, subject, tell)
    tell("how long an image takes")
    return Outcome(
        checks=(*checks, *_judged(exams, subject.lock)),
        exams=exams,
        sizes=_sizes(folder, subject),
        latency=_latency(folder, subject) if ONNX in files else (),
        digests={path.name: sha256(path.read_bytes()).hexdigest() for path in _written(folder)},
    )


def _opened(folder: Path, subject: Subject) -> tuple[dict[str, Decides], list[Check]]:
    """The files that can be read and run, and what there is to say without any image."""
    import numpy as np

    files: dict[str, Decides] = {}
    checks = []
    blank = np.zeros((1, *subject.evaluator.data.shape), np.float32)
    for name, reader in READERS.items():
        problem = ""
        try:
            decides = reader(folder)
            decides(blank)
            files[name] = decides
        except Exception as error:  # every library raises what it likes for a damaged file
            problem = " ".join(str(error).split())[:200] or type(error).__name__
        checks.append(readable(name, problem))
    if PACKED in files:
        checks.append(_packed_size(folder / PACKED, subject))
    return files, checks


def _exams(files: Mapping[str, Decides], subject: Subject, tell: Tell) -> dict[str, dict[str, Tally]]:
    """What each file makes of the test images, of those that the lock's accuracy is of, and of attacked ones."""
    data, lock = subject.evaluator.data, subject.lock
    tell(f"{len(data.test)} test images through {len(files)} files")
    found = {TEST: examined(subject.ensemble, files, clean_batches(data.test))}
    claim = lock.measurements.get("acc")
    split = getattr(data, lock.part).head(claim.n if claim else 0)
    same = lock.part == "test" and len(split) == len(data.test)
    found[CLAIMED] = found[TEST] if same else examined(subject.ensemble, files, clean_batches(split))
    tell(f"images crafted against the network, as its {JUDGED} was measured")
    found[ATTACKED] = examined(subject.ensemble, files, attacked_batches(subject.adversaries(tell)))
    return found


def _judged(exams: Mapping[str, Mapping[str, Tally]], lock: Lock) -> Iterator[Check]:
    """Whether each file agrees with the network, and is as accurate and as robust as was claimed."""
    for file in exams[TEST]:
        test, clean, attacked = (exams[name][file] for name in (TEST, CLAIMED, ATTACKED))
        yield agreement(file, test.flips, test.images)
        claim = lock.measurements.get("acc") or clean.own
        yield within(f"accuracy on {lock.part} images", file, clean.hits, clean.images, claim)
        claim = lock.measurements.get(JUDGED) or attacked.own
        yield within(f"accuracy on attacked {lock.part} images", file, attacked.hits, attacked.images, claim)


def _packed_size(path: Path, subject: Subject) -> Check:
    from evaluators.deployment.sizes import expected_bytes, stored_bytes

    return small_enough(path.name, stored_bytes(path), expected_bytes(subject.ensemble))


def _sizes(folder: Path, subject: Subject) -> dict[str, int]:
    """Of each file, and of the weights of one float32 network."""
    from evaluators import cost_report
    from evaluators.cost.models import stored

    candidate, network = subject.lock.candidate, subject.lock.protocol.network
    full = cost_report(candidate, network, subject.plan).members[0].full
    return {path.name: path.stat().st_size for path in _written(folder)} | {FLOAT32: int(4 * stored(full))}


def _latency(folder: Path, subject: Subject) -> tuple[Latency, ...]:
    return tuple(measure_latency(folder, subject.lock.protocol.network, subject.plan))


def _written(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in FILES if (folder / name).is_file() and name not in (CARD, VERIFIED))
