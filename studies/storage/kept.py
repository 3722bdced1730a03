"""Trials of a long study: those that nobody looks at any more are on the disk."""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence

from optuna.trial import FrozenTrial

from studies.storage.slimmer import Slimmer
from studies.storage.spill import Spill

NEAR = 2048
"""Finished trials that stay in memory: more than what a sampler looks at for its next trial."""

_NONE, _HERE = -2, -1
"""Instead of a place on the disk: there is no such trial; it is in memory."""


class Kept(Mapping[int, FrozenTrial]):
    """Trials by number; a finished one is made small, and may change no more.

    Args:
        near: finished trials, the last that were asked for, that stay in memory; the others are read at each look.
    """

    def __init__(self, near: int = NEAR) -> None:
        self._limit, self._count, self._lock = near, 0, threading.RLock()
        self._open: dict[int, FrozenTrial] = {}
        self._near: OrderedDict[int, FrozenTrial] = OrderedDict()
        self._places, self._disk, self._slimmer = array("q"), Spill(), Slimmer()

    def __setitem__(self, number: int, trial: FrozenTrial) -> None:
        """Add a trial, or say what became of it."""
        with self._lock:
            if number not in self:
                self._places.extend([_NONE] * (number + 1 - len(self._places)))
                self._places[number], self._count = _HERE, self._count + 1
            if trial.state.is_finished():
                self._open.pop(number, None)
                self._slimmer.slim(trial)
                self._hold(number, trial)
            else:
                self._open[number] = trial

    def __getitem__(self, number: int) -> FrozenTrial:
        """A trial; KeyError where there is none."""
        with self._lock:
            if number in self._open:
                return self._open[number]
            if number not in self:
                raise KeyError(number)
            if number not in self._near:
                self._hold(number, self._slimmer.read(self._disk[self._places[number]]))
            self._near.move_to_end(number)
            return self._near[number]

    def __contains__(self, number: object) -> bool:
        """Whether there is such a trial."""
        return isinstance(number, int) and 0 <= number < len(self._places) and self._places[number] != _NONE

    def __iter__(self) -> Iterator[int]:
        """The numbers."""
        return (number for number, place in enumerate(self._places) if place != _NONE)

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @property
    def numbers(self) -> Sequence[int]:
        """All of them."""
        return range(self._count) if self._count == len(self._places) else [*self]

    def unfinished(self) -> dict[int, FrozenTrial]:
        """The trials that are not finished, by number, as they are now."""
        with self._lock:
            return dict(sorted(self._open.items()))

    def _hold(self, number: int, trial: FrozenTrial) -> None:
        """Have a finished trial in memory, and others no longer."""
        self._near[number] = trial
        while len(self._near) > self._limit:
            oldest, gone = next(iter(self._near.items()))
            if self._places[oldest] == _HERE:
                self._places[oldest] = self._disk.append(self._slimmer.write(gone))
            del self._near[oldest]
