"""Which choices bring a candidate to the front: how much of P(front) each explains beyond chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.report.choices import Chosen, Value, in_order

LEAST = 20
"""Candidates below which nothing is said: shuffled choices then explain about as much."""

SHUFFLES = 1000

HOW = (
    "The share of the variance of P(front) between candidates that a choice explains by itself (η²), less what it "
    f"explains on average when P(front) is shuffled {SHUFFLES:,} times; p is the share of shuffles that explain as "
    "much. Choices go together in a search, so shares overlap and are no effects; a candidate that was stopped or "
    "is masked has P(front) 0."
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Candidates that chose alike.

    Attributes:
        value: what they chose.
        candidates: how many, >= 1.
        mean: of their P(front).
    """

    value: Value
    candidates: int
    mean: float


@dataclass(frozen=True, kw_only=True)
class Importance:
    """One choice.

    Attributes:
        choice: its name.
        share: of the variance of P(front) that it explains, 0 to 1.
        chance: the same for shuffled P(front), on average.
        p: share of the shuffles that explain at least as much, above 0.
        groups: by what was chosen.
    """

    choice: str
    share: float
    chance: float
    p: float
    groups: tuple[Group, ...]

    @property
    def beyond_chance(self) -> float:
        """What it explains beyond chance, at least 0."""
        return max(0.0, self.share - self.chance)


def importances(designs: Sequence[Chosen], sure: Sequence[float], seed: int) -> list[Importance]:
    """Weigh every choice in which the designs differ, the most important one first.

    Args:
        designs: what each candidate chose.
        sure: P(front) of each.
        seed: of the shuffles.
    Returns: none for fewer than LEAST candidates, or where all have the same P(front).
    """
    values = np.array(sure, dtype=np.float64)
    if len(designs) < LEAST or np.ptp(values) == 0:
        return []
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(values, (SHUFFLES, 1)), axis=1)
    names = [name for name in designs[0] if len({one[name] for one in designs}) > 1]
    found = [_importance(name, [one[name] for one in designs], values, shuffled) for name in names]
    return sorted(found, key=lambda one: -one.beyond_chance)


def as_json(one: Importance) -> Mapping[str, object]:
    """As a JSON object."""
    groups = [{"value": str(group.value), "candidates": group.candidates, "mean": group.mean} for group in one.groups]
    return {"choice": one.choice, "share": one.share, "chance": one.chance, "p": one.p, "groups": groups}


def _importance(
    name: str, chosen: Sequence[Value], values: NDArray[np.float64], shuffled: NDArray[np.float64]
) -> Importance:
    order = in_order(set(chosen))
    member = np.array([[one == value for one in chosen] for value in order], dtype=np.float64)
    share, by_chance = _explained(member, values[None])[0], _explained(member, shuffled)
    counts, means = member.sum(1), member @ values / member.sum(1)
    groups = zip(order, counts, means, strict=True)
    return Importance(
        choice=name,
        share=float(share),
        chance=float(by_chance.mean()),
        p=float((1 + (by_chance >= share - 1e-12).sum()) / (1 + len(shuffled))),
        groups=tuple(Group(value=value, candidates=int(n), mean=float(mean)) for value, n, mean in groups),
    )


def _explained(member: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of squares between the groups over the whole (η²), for each row of values.

    Args:
        member: groups x candidates, 1 where the candidate is in the group.
        values: rows x candidates.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    between = ((centred @ member.T) ** 2 / member.sum(1)).sum(axis=1)
    explained: NDArray[np.float64] = between / (centred**2).sum(axis=1)
    return explained
