"""Whether a search still pays: a run may end when the hypervolume of its front has hardly grown for long."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from studies.config import Plateau, StudyConfig
from studies.fronts.bounds import Bounds
from studies.fronts.hypervolume import hypervolume
from studies.records import GrowingFront, Record, values_of


class PlateauWatch:
    """The hypervolume after each evaluated record, as far back as a plateau is asked for.

    It follows from the records and the bounds that were frozen with the study alone, so a run that is resumed ends
    where it would have ended, and one of a study that has reached its plateau ends at once.

    Args:
        plateau: what counts as one.
        config, bounds: of the study; the reference is the worst corner of the bounds.
        records: of earlier runs, by number.
    """

    def __init__(self, plateau: Plateau, config: StudyConfig, bounds: Bounds, records: Iterable[Record]) -> None:
        self._plateau, self._names, self._bounds = plateau, config.objectives, bounds
        self._front, self._volume = GrowingFront(config.objectives, config.terms), 0.0
        self._volumes = deque([0.0], maxlen=plateau.evaluations + 1)
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Take in the record of the next trial."""
        before = self._front.members
        self._front.add(record)
        if self._front.members != before:
            losses = self._bounds.normalise(values_of(self._front.members, self._names), self._names)
            self._volume = max(self._volume, hypervolume(losses, np.ones(len(self._names))))
        if record.evaluated:
            self._volumes.append(self._volume)

    @property
    def reached(self) -> str:
        """What shows that it is reached, in one line; "" while it is not, or nothing is on the front yet."""
        count, now, growth = self._plateau.evaluations, self._volume, self._volume - self._volumes[0]
        if len(self._volumes) <= count or now == 0 or growth >= self._plateau.share * now:
            return ""
        return f"hypervolume {now:.4f}, grew by {growth:.4f} over the last {count} evaluations"
