"""What a running study remembers of its records."""

from collections.abc import Iterable

from studies.keys import Keys
from studies.records import Record
from studies.storage.archive import Archive

UNDECIDED = -1
"""Of a key whose candidate may be tried again, instead of the place of the record that decides."""


class Memory:
    """Records of a study in the order of their trials, and what follows from them for the next trial.

    Attributes:
        records: all of them.
        seen: keys of their candidates.
        evaluated: how many were paid for.
        designs: how many are no repetition.
        seconds: running seconds of the study up to its last record.
        free_in_a_row: how many of the latest trials cost nothing: duplicates and vetoes by cost.

    Args:
        records: of earlier runs.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records = Archive()
        self.seen = Keys()
        self.evaluated = self.designs = self.free_in_a_row = 0
        self.seconds = 0.0
        self._failed: set[str] = set()
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Append the record of the latest trial."""
        self._decide(record)
        self.records.append(record)
        self.seconds = max(self.seconds, record.at)
        self.evaluated += record.evaluated
        if not record.repeats:
            self.designs += 1
            self.free_in_a_row = 0 if record.evaluated else self.free_in_a_row + 1

    def earlier(self, key: str) -> Record | None:
        """The record that makes another evaluation of this candidate pointless, or None."""
        decides = self.seen.get(key, UNDECIDED)
        return None if decides == UNDECIDED else self.records[decides]

    def _decide(self, record: Record) -> None:
        """A first failure may have been the machine's fault, so it is tried again; a second one decides."""
        if self.seen.get(record.key, UNDECIDED) != UNDECIDED:
            return
        again = record.state == "failed" and record.key in self._failed
        decides = again or record.state in ("complete", "stopped", "vetoed")
        self.seen[record.key] = len(self.records) if decides else UNDECIDED
        if record.state == "failed":
            self._failed.add(record.key)
