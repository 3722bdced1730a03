"""Who works on a trial: what is stored of it while it runs, so that nobody else does, and that somebody does."""

from dataclasses import asdict, dataclass
from typing import Self

from optuna.trial import FrozenTrial

CLAIM = "claim"
"""User attribute of an Optuna trial that says who evaluates it; without one, nobody has begun to."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One worker's word that it evaluates a trial.

    Attributes:
        candidate: text form; "" while it is not known.
        key: of the candidate.
        worker: names the worker's sign of life; "" for nobody: the trial waits for one of the same candidate.
        place: where that sign can be seen, see `studies.workers.signs`.
        deaths: how many workers died over this trial.
    """

    candidate: str = ""
    key: str = ""
    worker: str = ""
    place: str = ""
    deaths: int = 0

    @classmethod
    def of(cls, trial: FrozenTrial) -> Self:
        """That of a running trial."""
        return cls(**trial.user_attrs.get(CLAIM, {}))

    def to_json(self) -> dict[str, str | int]:
        """As a JSON object; `of` reads it back."""
        return asdict(self)
