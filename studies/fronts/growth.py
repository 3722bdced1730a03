"""How much the sampler's latest trials added to a study's front."""

from collections import deque
from collections.abc import Collection

import numpy as np

from studies.config import StudyConfig
from studies.fronts.bounds import Bounds
from studies.fronts.expected import expected_gains
from studies.fronts.pareto import Floats
from studies.records import GrowingFront, Record, values_of

RECENT = 5
"""Latest trials of the sampler whose gains are usual."""


class Growth:
    """The growing front of a study in its bounds, fed record by record.

    Attributes:
        front: losses of the records on the front, f × objectives, in [0, 1].
        complete: how many records are complete.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds) -> None:
        self._names, self._bounds = config.objectives, bounds
        self._records = GrowingFront(config.objectives, config.terms)
        self._gains: deque[tuple[float, float]] = deque(maxlen=RECENT)
        self.front = self._losses()
        self.complete = 0

    def add(self, record: Record, work: float) -> None:
        """Take in the next record, and what it cost."""
        self.complete += record.state == "complete"
        gain = self._extend(record)
        if record.evaluated and record.origin in ("sampler", "chance"):
            self._gains.append((gain, work))

    def renew(self, records: Collection[Record]) -> None:
        """Go on from the front of these records: repetitions change what came before."""
        self._records.renew(records)
        self.front = self._losses()

    @property
    def members(self) -> tuple[Record, ...]:
        """The front so far."""
        return self._records.members

    @property
    def usual(self) -> float:
        """Hypervolume that the sampler's latest trials gained for their work; 0 before there are any."""
        gained, worked = np.sum(self._gains, axis=0) if self._gains else (0.0, 0.0)
        return float(gained / worked) if worked else 0.0

    def _extend(self, record: Record) -> float:
        """How much hypervolume the record adds."""
        before = self._records.members
        self._records.add(record)
        if self._records.members == before:
            return 0.0
        loss = self._bounds.normalise(values_of([record], self._names), self._names)
        gain = float(expected_gains(self.front, loss, np.zeros_like(loss))[0])
        self.front = self._losses()
        return gain

    def _losses(self) -> Floats:
        return self._bounds.normalise(values_of(self._records.members, self._names), self._names)
