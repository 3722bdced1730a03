"""What a candidate chose, choice by choice: what its place on the front is explained by."""

from collections.abc import Callable
from typing import Any

from space import Candidate, Precision, UserError

Value = int | float | str
Chosen = dict[str, Value]
"""What was chosen, by the name of the choice."""


def chosen_by(candidate: str) -> Chosen:
    """Every choice of a candidate that is given as text; none where it can't be read.

    >>> chosen_by("in2:fp+xnor:majority")["vote"]
    'majority'
    """
    try:
        parsed = Candidate.parse(candidate)
    except UserError:
        return {}
    return {name: choice(parsed) for name, choice in CHOICES.items()}


def _methods(candidate: Candidate) -> str:
    """How the members compute, each way once, e.g. "fp + mbn"."""
    return " + ".join(dict.fromkeys(_method(member.precision) for member in candidate.members))


def _method(precision: Any) -> str:
    if not isinstance(precision, Precision):
        return "mixed"
    return f"{precision.method}~{precision.pruning.what}" if precision.pruning else precision.method


def _vote(candidate: Candidate) -> str:
    return "none" if len(candidate.members) == 1 else candidate.vote or "mean"


CHOICES: dict[str, Callable[[Candidate], Value]] = {
    "input bits": lambda one: one.input_bits,
    "members": lambda one: len(one.members),
    "method": _methods,
    "weight bits": lambda one: min(member.precision.weight for member in one.members),
    "activation bits": lambda one: min(member.precision.activation for member in one.members),
    "vote": _vote,
    "μ-law": lambda one: one.mapping.mu if one.mapping else 0,
    "mapped layers": lambda one: one.mapping.layers if one.mapping else 0,
    "recipe": lambda one: one.recipe,
    "width": lambda one: one.width,
}
"""By name; of an ensemble, the fewest bits (bases, for mbn) of any member."""


def in_order(values: set[Value]) -> list[Value]:
    """Values of one choice: numbers ascending, then words."""
    return sorted(values, key=lambda one: (isinstance(one, str), one))
