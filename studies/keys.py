"""Numbers by the keys of candidates, many of them in little memory."""

from hashlib import blake2b

import numpy as np

RECENT = 1024
"""Keys that are held as they come, before they are sorted in among the others."""


class Keys:
    """A number for each key, in sixteen bytes a key.

    A key is known by 64 bits of its digest: of twenty thousand, two are taken for one with a probability of 1e-11.
    """

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._sorted, self._numbers = np.empty(0, np.uint64), np.empty(0, np.int64)

    def __setitem__(self, key: str, number: int) -> None:
        """Set the number of a key."""
        digest = _digest(key)
        if (place := self._place(digest)) is not None:
            self._numbers[place] = number
            return
        self._recent[digest] = number
        if len(self._recent) >= RECENT:
            self._sort_in()

    def get(self, key: str, default: int) -> int:
        """The number of a key, or this one where it is not known."""
        digest = _digest(key)
        if digest in self._recent:
            return self._recent[digest]
        place = self._place(digest)
        return default if place is None else int(self._numbers[place])

    def __contains__(self, key: object) -> bool:
        """Whether a key is known."""
        digest = _digest(str(key))
        return digest in self._recent or self._place(digest) is not None

    def __len__(self) -> int:
        """How many there are."""
        return len(self._recent) + len(self._sorted)

    def _place(self, digest: int) -> int | None:
        """Where it is among the sorted."""
        place = int(np.searchsorted(self._sorted, np.uint64(digest)))
        return place if place < len(self._sorted) and int(self._sorted[place]) == digest else None

    def _sort_in(self) -> None:
        recent = sorted(self._recent.items())
        digests = np.array([digest for digest, _ in recent], np.uint64)
        places = np.searchsorted(self._sorted, digests)
        self._sorted = np.insert(self._sorted, places, digests)
        self._numbers = np.insert(self._numbers, places, [number for _, number in recent])
        self._recent = {}


def _digest(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
