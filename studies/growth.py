"""A study's front as it grows, and how much the sampler's latest trials added to it."""

from collections import deque

import numpy as np

from studies.bounds import Bounds
from studies.config import StudyConfig
from studies.expected import expected_gains
from studies.records import Record, values_of

RECENT = 5
"""Latest trials of the sampler whose gains are usual."""


class Growth:
    """The front of a study, fed record by record.

    Attributes:
        front: losses of the non-dominated records that the study's terms admit, f × objectives, in [0, 1].
        complete: how many records are complete.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds) -> None:
        self._config, self._bounds = config, bounds
        self._gains: deque[float] = deque(maxlen=RECENT)
        self.front = np.empty((0, len(config.objectives)))
        self.complete = 0

    def add(self, record: Record) -> None:
        """Take in the next record."""
        gain = self._extend(record) if record.state == "complete" else 0.0
        if record.evaluated and record.origin in ("sampler", "chance"):
            self._gains.append(gain)

    @property
    def usual(self) -> float | None:
        """Mean hypervolume that the sampler's latest trials gained; None before there are any."""
        return float(np.mean(self._gains)) if self._gains else None

    def _extend(self, record: Record) -> float:
        """Put a complete record on the front, if that is where it belongs; how much hypervolume it adds."""
        self.complete += 1
        names = self._config.objectives
        loss = self._bounds.normalise(values_of([record], names), names)
        if not self._config.terms.admits(record) or (self.front <= loss).all(axis=1).any():
            return 0.0
        gain = float(expected_gains(self.front, loss, np.zeros_like(loss))[0])
        self.front = np.vstack([self.front[(self.front < loss).any(axis=1)], loss])
        return gain
