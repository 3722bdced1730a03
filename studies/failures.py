"""Whether a run fails again and again for one reason."""

import re
from collections import deque

from studies.records import Record

ALIKE = 3
"""Failures in a row with the same reason that end a run."""


class FailureWatch:
    """The latest evaluated records of a run."""

    def __init__(self) -> None:
        self._latest: deque[Record] = deque(maxlen=ALIKE)

    def add(self, record: Record) -> None:
        """Take in the record of the next trial; free ones between failures do not count."""
        if record.evaluated:
            self._latest.append(record)

    @property
    def reached(self) -> str:
        """Why the latest trials all failed, in the words of the last; "" while one did not, or failed otherwise."""
        kinds = {_kind(record) for record in self._latest if record.state == "failed"}
        failed = sum(record.state == "failed" for record in self._latest)
        return self._latest[-1].reason if failed == ALIKE and len(kinds) == 1 else ""


def _kind(record: Record) -> str:
    """The reason, numbers in it aside."""
    return re.sub(r"\d+", "#", record.reason)
