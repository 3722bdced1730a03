"""Where a trial ends before its last measurement: at a rung of epochs, or when the front beats it whatever comes."""

from collections.abc import Iterable, Mapping

from evaluators.base import Measurement
from space.candidate import Candidate
from studies.config import StudyConfig
from studies.fronts.bounds import Bounds
from studies.records import GrowingFront, Record
from studies.stages.halving import Rungs
from studies.stages.hope import Hope
from studies.trained import Trained


class Gate:
    """Lets trials pass, or says why they end; follows from the records so far.

    Attributes:
        rungs: epochs after which a trial may end, ascending.

    Args:
        config: of the study.
        bounds: of the study.
        front: of the study; grows.
        records: so far.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds, front: GrowingFront, records: Iterable[Record]) -> None:
        self.rungs = config.rungs if config.measured else ()
        self._halving, self._full = Rungs(config), config.full
        self._hope = Hope(config, bounds, lambda: front.members)
        self._trained = Trained()
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Take in the record of one more trial."""
        self._halving.add(record)
        self._trained.add(record)

    def at_rung(self, candidate: Candidate, rung: int, known: Mapping[str, Measurement]) -> str:
        """Why a trial ends at a rung; "" if it goes on, as one does that has nothing left to train."""
        free = not self._trained.missing(candidate)
        return "" if free else self._halving.decide(candidate, rung, known)

    def lost(self, known: Mapping[str, Measurement]) -> str:
        """Why nothing can come of what is known so far; "" while there is hope, or where trials go on to their end."""
        return "" if self._full else self._hope.lost(known)
