"""What a trial will probably cost: a training for each member that no earlier trial had, and an attack."""

from evaluators.objectives import OBJECTIVES
from evaluators.prices import LEAST, Prices
from space.candidate import Candidate
from studies.config import StudyConfig
from studies.records import Record
from studies.trained import Trained


class Work:
    """Passes of an image through a network of full width, from the records so far; the same on any machine.

    Args:
        config: of the study.
        prices: of its evaluator.
    """

    def __init__(self, config: StudyConfig, prices: Prices) -> None:
        attacked = any(OBJECTIVES[name].stage == "attack" for name in config.measured)
        self._training, self._attack = prices.training, prices.attack if attacked else 0.0
        self._trained = Trained()

    def add(self, record: Record) -> float:
        """Take in the members that a record trained; returns what it was to cost."""
        work = self.of(Candidate.parse(record.candidate))
        self._trained.add(record)
        return work

    def missing(self, candidate: Candidate) -> int:
        """How many members of a candidate are still to be trained."""
        return self._trained.missing(candidate)

    def of(self, candidate: Candidate) -> float:
        """What a candidate will cost now; a pass takes about in proportion to the width of the network."""
        training = self.missing(candidate) * self._training
        return LEAST + candidate.width * (training + len(candidate.members) * self._attack)
