"""Who proposes the candidate of a trial: the first design, chance, the predictions, or else the sampler."""

from collections.abc import Sequence

from evaluators.seeds import number
from space.candidate import Candidate
from studies.header import Header
from studies.memory import Memory
from studies.proposals.proposer import Proposer
from studies.proposals.prospects import Foresees
from studies.records import Origin
from studies.samplers.design import allowed, draws, something_new
from studies.samplers.either import Either
from studies.trial import Evaluates

PATIENCE = 20
"""Free asks (duplicates, vetoes by cost) in a row, after which candidates are drawn at random."""


class Nominations:
    """Candidates that do not come from the sampler.

    Args:
        header: of the study.
        evaluator: of its protocol and budget.
        memory: of its records; grows.
    """

    def __init__(self, header: Header, evaluator: Evaluates, memory: Memory) -> None:
        self._config, self._design, self._evaluator = header.config, header.design, evaluator
        self._memory = memory
        wanted = self._config.proposals != "off" and isinstance(evaluator, Foresees)
        self._proposer = Proposer(self._config, header.bounds, evaluator) if wanted else None  # type: ignore[arg-type]

    def of(self, trial: int, pending: Sequence[Candidate] = ()) -> tuple[Candidate, Origin] | None:
        """The candidate of a trial and who proposes it, or None to leave it to the sampler.

        Args:
            trial: how many there were before, repetitions left out.
            pending: candidates that are being evaluated.
        """
        if trial < len(self._design):
            return Candidate.parse(self._design[trial]), "design"
        if self._memory.free_in_a_row >= PATIENCE:
            return self.by_chance(trial, pending)
        return self._proposer.propose(self._memory.records, pending) if self._proposer else None

    def by_chance(self, trial: int, pending: Sequence[Candidate]) -> tuple[Candidate, Origin]:
        """A candidate that nobody tried or tries, or any if there is none."""
        chance = next(draws(self._config.space, self._number("chance", trial)))
        return self.new(trial, pending) or chance, "chance"

    def new(self, trial: int, pending: Sequence[Candidate] = ()) -> Candidate | None:
        """A candidate that nobody tried or tries, and that fits the network and the limits."""

        def may(candidate: Candidate) -> bool:
            return allowed(candidate, self._evaluator.cost, self._config.limits) is not None

        seen = Either(self._memory.seen, {one.key() for one in pending})
        return something_new(self._config.space, seen, may, self._number("new", trial))

    def _number(self, purpose: str, trial: int) -> int:
        return number(self._config.seed, purpose, str(trial))
