"""What a long study need not hold in memory: an unnamed file, of which only places are remembered."""

import os
import weakref
from array import array
from tempfile import TemporaryFile
from typing import IO


class Spill:
    """Byte strings by number, in a file without a name that is gone with the process; each takes eight bytes here.

    The file is made with the first string, where Python makes temporary files (TMPDIR); what it can't take stays in
    memory, and so does what a forked process adds: the file is its parent's too, who may put out others in their order.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._ends, self._process = array("Q", [0]), os.getpid()
        self._here: dict[int, bytes] = {}

    def append(self, content: bytes) -> int:
        """Add a string; gives its number."""
        number, start = len(self), self._ends[-1]
        try:
            self._write(content, start)
            self._ends.append(start + len(content))
        except OSError:  # no space, no folder for it, or another's: no reason to end a study
            self._here[number] = content
            self._ends.append(start)
        return number

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:
        """One of them, by its number from 0."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        if self._file is None or number in self._here:
            return self._here[number]
        return os.pread(self._file.fileno(), end - start, start)

    def _write(self, content: bytes, start: int) -> None:
        if os.getpid() != self._process:
            raise OSError("the file is another process's")
        if self._file is None:
            self._file = TemporaryFile(prefix="bitfront-", buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        while content:
            written = os.pwrite(self._file.fileno(), content, start)
            content, start = content[written:], start + written
