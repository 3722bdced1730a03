"""Optuna's journal: every line with its checksum, flushed to the disk once a trial and not at each of its steps."""

import json
import os
import warnings
from collections.abc import Generator, Iterable
from io import RawIOBase
from pathlib import Path
from typing import Any
from zlib import crc32

from filelock import FileLock
from optuna.storages.journal import JournalFileBackend

from space.errors import Damage

STEPS = frozenset({4, 5, 8, 9})
"""Operations on a running trial in Optuna's journal: create it, set a parameter, an attribute of either kind.

What follows from them is lost together with the trial if the power goes, and drawn again: the same. A trial's end, its
start from the queue and all that concerns the study are flushed, and with them every line before.
"""

CHECK = b',"check":"'
"""Begins the end of a line: the CRC-32 of all before, in eight hex digits. Lines of earlier versions have none."""

_TAIL = len(CHECK) + 8 + len('"}')


POLL = 0.002
"""Seconds between two attempts to write; a line takes less."""

PIECE = 4096
"""Bytes that are read at once to find where the last line begins."""


class DamagedLine(ValueError):  # noqa: N818 (it says what happened)
    """A line that was changed, or is half there; names the line."""


class DamagedTail(Damage):
    """The last lines of a journal were damaged and are taken away; their trials go again."""


class Journal(JournalFileBackend):
    """A journal file whose lines survive a killed process at once, and a power cut from the end of their trial on.

    A flush takes milliseconds, and a trial has a dozen steps. What was changed on the disk is never read: a line
    tells by its checksum. Any number of processes of one host may write: the lock ends with its process, and what a
    killed one wrote of a line is taken away before the next is written.
    """

    def __init__(self, path: str) -> None:
        self._path, self._writing = path, _turn(Path(path))
        super().__init__(path)
        self._read = 0, 0  # lines, and their bytes

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The operations from a line on, up to a half or damaged end; DamagedLine for one before sound lines."""
        lines, start = self._read if self._read[0] <= log_number_from else (0, 0)
        with open(self._path, "rb") as file:
            file.seek(start)
            for number, line in enumerate(file, lines):
                if not line.endswith(b"\n"):
                    return
                if number >= log_number_from:
                    try:
                        yield parse(line, number + 1)
                    except DamagedLine:
                        if any(_is_sound(one) for one in file):
                            raise
                        return  # the end, which the next run puts aside
                start += len(line)
                self._read = number + 1, start

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add a line for each operation, under the journal's lock; all or, where OSError is raised, none."""
        content = b"".join(map(checked, logs))
        with self._writing.acquire(poll_interval=POLL), open(self._path, "rb+", buffering=0) as file:
            file.seek(_whole(file))
            _append(file, content)
            if _ends_something(logs):
                os.fsync(file.fileno())


def _turn(path: Path) -> FileLock:
    """What only one process at a time writes to a journal under."""
    return FileLock(f"{path}.lock", thread_local=False)


def _whole(file: RawIOBase) -> int:
    """Where the last whole line ends; cuts off what follows."""
    end = size = file.seek(0, os.SEEK_END)
    while end and not (tail := _before(file, end)).endswith(b"\n"):
        end = end - len(tail) + tail.rfind(b"\n") + 1
    if end < size:
        file.truncate(end)
    return end


def _before(file: RawIOBase, end: int) -> bytes:
    """At most PIECE bytes before a place."""
    start = max(0, end - PIECE)
    file.seek(start)
    return file.read(end - start)


def _append(file: RawIOBase, content: bytes) -> None:
    """Write all or nothing: when the disk is full, what fitted must not stand before what follows."""
    end, left = file.tell(), memoryview(content)
    try:
        while left:
            left = left[file.write(left) or 0 :]
    except OSError:
        file.truncate(end)
        raise


def checked(log: dict[str, Any]) -> bytes:
    """The line of an operation, with its checksum."""
    body = json.dumps(log, separators=(",", ":")).encode()[:-1]
    return body + CHECK + b'%08x"}\n' % crc32(body)


def parse(line: bytes, number: int) -> dict[str, Any]:
    """Read a line; DamagedLine unless it is whole and as it was written."""
    body, tail = line.rstrip(b"\r\n")[:-_TAIL], line.rstrip(b"\r\n")[-_TAIL:]
    if tail.startswith(CHECK) and tail != CHECK + b'%08x"}' % crc32(body):
        raise DamagedLine(f"line {number} was changed")
    try:
        log = json.loads(line)
    except (ValueError, RecursionError):
        raise DamagedLine(f"line {number} can't be read") from None
    if not isinstance(log, dict) or not isinstance(log.get("op_code"), int):
        raise DamagedLine(f"line {number} is no operation")
    return log


def repair(path: Path) -> None:
    """Take away what a killed writer or a power cut left at the end: half a line, or damaged lines (a DamagedTail).

    A damaged line before sound ones is left: taking it away would change what follows it.
    """
    with _turn(path):
        _repair(path)


def _repair(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        sound = end = 0
        for line in file:
            end += len(line)
            if line.endswith(b"\n") and _is_sound(line):
                if sound < end - len(line):
                    return  # damage before it
                sound = end
    if sound == size:
        return
    with path.open("rb+") as file:
        file.seek(sound)
        left = file.read()
        if b"\n" in left or b"\0" in left:
            kept = path.with_name(f"{path.name}.damaged")
            with kept.open("ab") as aside:  # below what was put aside before
                aside.write(left)
            text = f"the end of {path} was damaged and is now in {kept.name}; trials that it held go again"
            warnings.warn(text, DamagedTail, stacklevel=2)
        file.truncate(sound)
        file.flush()
        os.fsync(file.fileno())


def _is_sound(line: bytes) -> bool:
    try:
        parse(line, 0)
    except DamagedLine:
        return False
    return True


def _ends_something(logs: Iterable[dict[str, Any]]) -> bool:
    return any(log["op_code"] not in STEPS for log in logs)
