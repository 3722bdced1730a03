"""All records of a study, kept small: the latest as they are, the others on the disk."""

from collections import deque
from collections.abc import Sequence
from typing import overload

from studies.records import Record
from studies.storage.packed import pack, unpack
from studies.storage.spill import Spill

LATEST = 256
"""Records that are kept as they are; what every trial looks at is among them."""


class Archive(Sequence[Record]):
    """Records in the order in which they came."""

    def __init__(self) -> None:
        self._older, self._latest = Spill(), deque[Record]()

    def append(self, record: Record) -> None:
        """Add the latest record."""
        self._latest.append(record)
        if len(self._latest) > LATEST:
            self._older.append(pack(self._latest.popleft().to_json()))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._older) + len(self._latest)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        """One of them, or several."""
        places = range(len(self))[index]
        return self._read(places) if isinstance(places, int) else [self._read(one) for one in places]

    def _read(self, place: int) -> Record:
        older = len(self._older)
        return self._latest[place - older] if place >= older else Record.from_json(unpack(self._older[place]))
