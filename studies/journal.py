"""Optuna's journal, flushed to the disk once a trial and not at each of its steps."""

import json
import os
from collections.abc import Iterable
from typing import Any, BinaryIO

from filelock import FileLock
from optuna.storages.journal import JournalFileBackend

STEPS = frozenset({4, 5, 8, 9})
"""Operations on a running trial in Optuna's journal: create it, set a parameter, an attribute of either kind.

What follows from them is lost together with the trial if the power goes, and drawn again: the same. A trial's end, its
start from the queue and all that concerns the study are flushed, and with them every line before.
"""


POLL = 0.002
"""Seconds between two attempts to write; a line takes less."""


PIECE = 4096
"""Bytes that are read at once to find where the last line begins."""


class Journal(JournalFileBackend):
    """A journal file whose lines survive a killed process at once, and a power cut from the end of their trial on.

    A flush takes milliseconds, and a trial has a dozen steps. Any number of processes of one host may write: the lock
    ends with its process, and what a killed one wrote of a line is taken away before the next is written, because
    Optuna refuses to read past it.
    """

    def __init__(self, path: str) -> None:
        self._path, self._writing = path, FileLock(f"{path}.lock", thread_local=False)
        super().__init__(path)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add a line for each operation, under the journal's lock."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._writing.acquire(poll_interval=POLL), open(self._path, "rb+") as file:
            file.seek(_whole(file))
            file.write(text.encode())
            file.flush()
            if _ends_something(logs):
                os.fsync(file.fileno())


def _whole(file: BinaryIO) -> int:
    """Where the last whole line ends; cuts off what follows."""
    end = size = file.seek(0, os.SEEK_END)
    while end and not (tail := _before(file, end)).endswith(b"\n"):
        end = end - len(tail) + tail.rfind(b"\n") + 1
    if end < size:
        file.truncate(end)
    return end


def _before(file: BinaryIO, end: int) -> bytes:
    """At most PIECE bytes before a place."""
    start = max(0, end - PIECE)
    file.seek(start)
    return file.read(end - start)


def _ends_something(logs: Iterable[dict[str, Any]]) -> bool:
    return any(log["op_code"] not in STEPS for log in logs)
