"""Candidates that no model proposes: the first design, and something new when the model has run dry."""

import random
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from space.candidate import Candidate
from space.errors import UserError
from space.space import SearchSpace
from studies.fronts.bounds import Cost
from studies.limits import Limit, first_broken
from studies.samplers.choice import ENUMERABLE

DRAWS = 200


class Draw:
    """What a space needs of a trial, answered by chance."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices, all equally likely."""
        return self._rng.choice(choices)

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return a whole number from low to high, all equally likely."""
        return self._rng.randint(low, high)


def draws(space: SearchSpace, seed: int) -> Iterator[Candidate]:
    """Candidates drawn at random from a space, without end; repeats occur."""
    trial = Draw(random.Random(seed))
    while True:
        yield space.sample(trial)


def first_design(
    pool: Sequence[Candidate], cost: Cost, *, count: int, by: str | None, limits: Sequence[Limit], seed: int
) -> list[Candidate]:
    """Pick candidates spread over the cost, single members and ensembles in turn.

    The pool is cut into strata of equal counts along the cost (which the logarithm does not change) and one
    candidate is taken from each.

    Args:
        pool: different candidates, in random order.
        cost: costs of a candidate; one that raises UserError, or breaks a limit, is left out.
        count: how many to pick, fewer if the pool is smaller.
        by: name of the cost, or None to spread over the pool as it lies.
        limits: that the costs must meet.
        seed: of the choice within a stratum.
    Returns: different candidates, shuffled, so that a run which stops early has seen all of the range.
    """
    affordable = [(one, costs) for one in pool if (costs := allowed(one, cost, limits)) is not None]
    if by is not None:
        affordable.sort(key=lambda pair: pair[1][by].value)
    candidates = [one for one, _ in affordable]
    rng = random.Random(seed)
    strata = list(_strata(candidates, min(count, len(candidates))))
    # Dear strata hold few single members and cheap ones few ensembles: alternate from where both are.
    picks = [_pick(stratum, ensemble=bool(i % 2), rng=rng) for i, stratum in enumerate(strata)]
    for ensemble in (False, True):
        _ensure(picks, strata, ensemble=ensemble)
    rng.shuffle(picks)
    return picks


def allowed(candidate: Candidate, cost: Cost, limits: Sequence[Limit]) -> dict[str, Measurement] | None:
    """Costs of a candidate, or None if it does not fit the network or its costs break a limit."""
    try:
        costs = cost(candidate)
    except UserError:
        return None
    return None if first_broken(limits, costs) else costs


def something_new(
    space: SearchSpace, seen: Container[str], may: Callable[[Candidate], bool], seed: int
) -> Candidate | None:
    """Find a candidate whose key was not seen and that may be tried, by chance.

    Small spaces are looked through completely, of others DRAWS random candidates; None if there is none.
    """
    if space.size <= ENUMERABLE:
        candidates = [one for one in space.enumerate() if one.key() not in seen]
        random.Random(seed).shuffle(candidates)
    else:
        candidates = list(islice(draws(space, seed), DRAWS))
    return next((one for one in candidates if one.key() not in seen and may(one)), None)


def distinct(candidates: Iterator[Candidate]) -> list[Candidate]:
    """One of each key, in the order in which they came last."""
    return list({one.key(): one for one in reversed(list(candidates))}.values())[::-1]


def cost_axis(objectives: Sequence[str]) -> str | None:
    """The objective to spread a design over: bops, else another cost of the study, else None."""
    return next((name for name, one in OBJECTIVES.items() if one.stage == "cost" and name in objectives), None)


def _strata(candidates: list[Candidate], count: int) -> Iterator[list[Candidate]]:
    """Cut into `count` runs whose lengths differ by one at most."""
    edges = [i * len(candidates) // count for i in range(count + 1)] if count else []
    yield from (candidates[low:high] for low, high in pairwise(edges))


def _pick(stratum: list[Candidate], *, ensemble: bool, rng: random.Random) -> Candidate:
    wanted = [one for one in stratum if (len(one.members) > 1) == ensemble]
    return rng.choice(wanted or stratum)


def _ensure(picks: list[Candidate], strata: list[list[Candidate]], *, ensemble: bool) -> None:
    """Put one (non-)ensemble into the picks if the strata hold any, unless that leaves none of the others."""
    kinds = [len(one.members) > 1 for one in picks]
    if ensemble in kinds or len(picks) < 2:
        return
    for i, stratum in enumerate(strata):
        for one in stratum:
            if (len(one.members) > 1) == ensemble:
                picks[i] = one
                return
