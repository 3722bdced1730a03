"""A precision for each stage of a network: mixed precision, written `mbn3x1/mbn1x1/pact4`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import total_ordering
from itertools import product
from typing import Self

from space.checks import whole
from space.errors import UserError
from space.precision import Precision

MAX_STAGES = 4
"""The networks with stages have three or four."""


@total_ordering
@dataclass(frozen=True)
class Staged:
    """One precision a stage, in order; the first convolution and the classifier stay 8/8 as ever.

    Attributes:
        stages: two to four precisions that are trained as they compute: not pruned, no ptq; not all equal.

    >>> str(Staged.parse("mbn3x1/mbn1x1/pact4-4"))
    'mbn3x1/mbn1x1/pact4'
    """

    stages: tuple[Precision, ...]

    def __post_init__(self) -> None:
        hint = "e.g. 'mbn3x1/mbn1x1/pact4'"
        whole("number of stages", len(self.stages), 2, MAX_STAGES, hint)
        for one in self.stages:
            if one.pruning is not None or one.method == "ptq":
                expected = "a precision that is trained as it computes"
                raise UserError("precision of a stage", got=str(one), expected=expected, hint=hint)

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read tokens joined by "/"; UserError for anything else."""
        return cls(tuple(Precision.parse(one) for one in token.split("/")))

    @property
    def weight(self) -> int:
        """The largest weight bits (bases) of any stage."""
        return max(one.weight for one in self.stages)

    @property
    def activation(self) -> int:
        """The largest activation bits (bases) of any stage."""
        return max(one.activation for one in self.stages)

    @property
    def float(self) -> bool:
        """Whether every stage is of full precision; then it would be written `fp`."""
        return False

    @property
    def real(self) -> bool:
        """Whether any activation is float32."""
        return any(one.real for one in self.stages)

    @property
    def binary(self) -> bool:
        """Whether the activations of any stage are signs (or sums of signs)."""
        return any(one.binary for one in self.stages)

    def at(self, stage: int) -> Precision:
        """What a stage, counted from 0, computes in."""
        return self.stages[stage]

    def __str__(self) -> str:
        return "/".join(map(str, self.stages))

    def __lt__(self, other: object) -> bool:
        """By the precisions of the stages; after every precision that all stages share."""
        if isinstance(other, Staged):
            return [one.rank for one in self.stages] < [one.rank for one in other.stages]
        return False if isinstance(other, Precision) else NotImplemented


AnyPrecision = Precision | Staged
"""How one network computes: alike in every layer, or by stage."""


def read_precision(token: str) -> AnyPrecision:
    """Read one token, or tokens joined by "/"; equal stages are the one precision they share. Raises UserError.

    >>> str(read_precision("pact4/pact4/pact4")), str(read_precision("pact4/fp/fp"))
    ('pact4', 'pact4/fp/fp')
    """
    if not isinstance(token, str) or "/" not in token[:1000]:
        return Precision.parse(token)
    mixed = Staged.parse(token)
    return mixed.stages[0] if len(set(mixed.stages)) == 1 else mixed


def expand(pattern: str) -> Iterator[str]:
    """Every token that a pattern stands for: alternatives in braces, at each stage, as a shell writes them.

    >>> list(expand("{fp,bnn}/pact4/{xnor,bnn}"))
    ['fp/pact4/xnor', 'fp/pact4/bnn', 'bnn/pact4/xnor', 'bnn/pact4/bnn']
    """
    stages = pattern.split("/")
    choices = [re.fullmatch(r"\{([^{}]*)\}", one) for one in stages]
    alternatives = [match[1].split(",") if match else [one] for match, one in zip(choices, stages, strict=True)]
    yield from map("/".join, product(*alternatives))
