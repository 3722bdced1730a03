"""Candidates that nobody tried: some by chance, some beside those on the front."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from evaluators.seeds import number
from space.candidate import Candidate
from space.space import SearchSpace
from studies.records import Record
from studies.samplers.design import Draw, draws

BY_CHANCE = 60
NEIGHBOURS = 60
"""Drawn for each trial."""

CHANGED = 0.2
"""Chance of a parameter to be drawn anew."""


def fresh(space: SearchSpace, front: Sequence[Record], seed: int, trial: int) -> Iterator[Candidate]:
    """Candidates for one trial; repeats occur.

    Args:
        space: of the study.
        front: of the study so far.
        seed: of the study.
        trial: number of the trial.
    """
    yield from islice(draws(space, number(seed, "fresh", str(trial))), BY_CHANCE)
    rng = random.Random(number(seed, "neighbours", str(trial)))
    known = [Candidate.parse(record.candidate) for record in front]
    for one in rng.choices(known, k=NEIGHBOURS) if known else ():
        yield space.sample(Changed(space.params(one), rng))


class Changed(Draw):
    """Answers as a candidate's parameters are, but for those that chance draws anew or that it has not.

    Args:
        params: of the candidate.
        rng: draws.
    """

    def __init__(self, params: dict[str, Any], rng: random.Random) -> None:
        super().__init__(rng)
        self._params = params

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """The candidate's own choice, or another."""
        anew = super().suggest_categorical(name, choices)
        return anew if name not in self._params or self._rng.random() < CHANGED else self._params[name]
