"""A trial in the hands of who evaluates it."""

from dataclasses import dataclass

from optuna.trial import Trial

from space.candidate import Candidate
from studies.trial import Outcome


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A trial to be evaluated.

    Attributes:
        trial: Optuna's.
        candidate: canonical.
        since: running time of the run when its worker had its turn, in seconds; to propose it is part of its time.
        known: its outcome, where nothing is left to evaluate.
        stored: whether its record is, and only the sampler was not told.
        deaths: how many workers died over it.
    """

    trial: Trial
    candidate: Candidate
    since: float
    known: Outcome | None = None
    stored: bool = False
    deaths: int = 0

    @property
    def number(self) -> int:
        """Of the trial."""
        return self.trial.number
