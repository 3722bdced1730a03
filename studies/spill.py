"""What a long study need not hold in memory: an unnamed file, of which only places are remembered."""

import os
import weakref
from array import array
from tempfile import TemporaryFile
from typing import BinaryIO


class Spill:
    """Byte strings by number, in a file without a name that is gone with the process; each takes eight bytes here.

    The file is made with the first string. It lies where Python makes temporary files (TMPDIR). A forked process may go
    on with it: who adds the same in the same order writes the same bytes to the same places.
    """

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._ends = array("Q", [0])

    def append(self, content: bytes) -> int:
        """Add a string; gives its number. OSError where it can't be written: then nothing is added."""
        if self._file is None:
            self._file = TemporaryFile(prefix="bitfront-", buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        start, written = self._ends[-1], 0
        while written < len(content):
            written += os.pwrite(self._file.fileno(), content[written:], start + written)
        self._ends.append(start + len(content))
        return len(self) - 1

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:
        """One of them, by its number from 0."""
        if self._file is None or not 0 <= number < len(self):
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start)
