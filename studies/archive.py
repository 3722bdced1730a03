"""All records of a study, kept small: the latest as they are, the others compressed."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

from studies.packed import Packed
from studies.records import Record
from studies.stored import RECORD

LATEST = 256
"""Records that are kept as they are; what every trial looks at is among them."""


class Archive(Sequence[Record]):
    """Records in the order in which they came."""

    def __init__(self) -> None:
        self._stored: list[Packed] = []
        self._latest: dict[int, Record] = {}

    def append(self, record: Record, stored: Mapping[str, Any] | None = None) -> None:
        """Add a record.

        Args:
            record: the latest.
            stored: attributes of its trial, if it has one; where they are packed, they are not packed again.
        """
        self._latest[len(self._stored)] = record
        self._latest.pop(len(self._stored) - LATEST, None)
        self._stored.append(stored if isinstance(stored, Packed) else Packed({RECORD: record.to_json()}))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._stored)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        """One of them, or several."""
        places = range(len(self))[index]
        return self._read(places) if isinstance(places, int) else [self._read(one) for one in places]

    def _read(self, place: int) -> Record:
        return self._latest.get(place) or Record.from_json(self._stored[place][RECORD])
