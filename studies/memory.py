"""What a running study remembers of its records."""

import re
from collections.abc import Iterable
from itertools import islice, takewhile

from studies.records import Record


class Memory:
    """Records of a study in the order of their trials, and what follows from them for the next trial.

    Attributes:
        records: all of them.
        seen: keys of their candidates.
        evaluated: how many were paid for.
        designs: how many are no repetition.

    Args:
        records: of earlier runs.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.records: list[Record] = []
        self.seen: set[str] = set()
        self.evaluated = 0
        self.designs = 0
        self._decided: dict[str, Record] = {}
        self._failed: set[str] = set()
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Append the record of the latest trial."""
        self.records.append(record)
        self.seen.add(record.key)
        self.evaluated += record.evaluated
        self.designs += not record.repeats
        # A first failure may have been the machine's fault, so it is tried again; a second one decides.
        again = record.state == "failed" and record.key in self._failed
        if again or record.state in ("complete", "stopped", "vetoed"):
            self._decided.setdefault(record.key, record)
        if record.state == "failed":
            self._failed.add(record.key)

    def earlier(self, key: str) -> Record | None:
        """The record that makes another evaluation of this candidate pointless, or None."""
        return self._decided.get(key)

    @property
    def seconds(self) -> float:
        """Running seconds of the study up to its last record."""
        return max((record.at for record in self.records), default=0.0)

    @property
    def free_in_a_row(self) -> int:
        """How many of the latest trials cost nothing: duplicates and vetoes by cost."""
        tried = (record for record in reversed(self.records) if not record.repeats)
        return sum(1 for _ in takewhile(lambda record: not record.evaluated, tried))

    def failures_alike(self, since: int) -> list[Record]:
        """The latest failures with one reason (numbers in it aside), free trials between them left out.

        Args:
            since: how many records to leave out at the start.
        """
        latest = islice(reversed(self.records), len(self.records) - since)
        paid = (record for record in latest if record.evaluated)
        failed = list(takewhile(lambda record: record.state == "failed", paid))
        return list(takewhile(lambda record: _kind(record) == _kind(failed[0]), failed))


def _kind(record: Record) -> str:
    return re.sub(r"\d+", "#", record.reason)
