"""What a trial will probably cost: a training for each member that no earlier trial had, and an attack."""

from evaluators.objectives import OBJECTIVES
from evaluators.prices import LEAST, Prices
from space.candidate import Candidate, Member
from studies.config import StudyConfig
from studies.pool import is_trained
from studies.records import Record

Trained = tuple[int, str, float, Member]
"""What a member is trained as: behind so many input bits, by a recipe, at a width."""


class Work:
    """Passes of an image through a network of full width, from the records so far; the same on any machine.

    Args:
        config: of the study.
        prices: of its evaluator.
    """

    def __init__(self, config: StudyConfig, prices: Prices) -> None:
        attacked = any(OBJECTIVES[name].stage == "attack" for name in config.measured)
        self._training, self._attack = prices.training, prices.attack if attacked else 0.0
        self._trained: set[Trained] = set()

    def add(self, record: Record) -> float:
        """Take in the members that a record trained; returns what it was to cost."""
        candidate = Candidate.parse(record.candidate)
        work = self.of(candidate)
        if is_trained(record):
            self._trained |= _parts(candidate)
        return work

    def of(self, candidate: Candidate) -> float:
        """What a candidate will cost now; a pass takes about in proportion to the width of the network."""
        fresh = len(_parts(candidate) - self._trained)
        return LEAST + candidate.width * (fresh * self._training + len(candidate.members) * self._attack)


def _parts(candidate: Candidate) -> set[Trained]:
    one = candidate.canonical()
    return {(one.input_bits, one.recipe, one.width, member) for member in one.members}
