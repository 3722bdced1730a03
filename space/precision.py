"""How a layer computes: float, fixed point (PACT, DoReFa) or binary (BinaryNet, XNOR-Net, multi-bit)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, total_ordering
from typing import Literal, Self

from space.checks import known_name, whole
from space.errors import UserError

METHODS: dict[str, tuple[int, int]] = {
    "fp": (8, 8),
    "ptq": (2, 8),
    "pact": (2, 8),
    "dorefa": (1, 8),
    "mbn": (1, 8),
    "xnor": (1, 1),
    "bnn": (1, 1),
}
"""Every method with its least and largest weight and activation bits (bases, for mbn), in sorting order."""

REAL_ACTIVATIONS = ("fp", "ptq")
"""Methods whose activations are float32, counted as 8 bits."""

GRAMMAR = "fp, fp~wP, fp~cP, ptqK, bnn, xnor, pactK, pactW-A, dorefaW-A or mbnMxN"
_TOKEN = re.compile(r"(?P<method>[a-z]+)(?:(?P<weight>0|[1-9][0-9]*)(?:(?P<sep>[-x])(?P<activation>0|[1-9][0-9]*))?)?")
_PRUNED = re.compile(r"fp~(?P<what>[wc])(?P<percent>[1-9][0-9]*)")
_EXAMPLES = {
    "fp": "fp",
    "ptq": "ptq3",
    "pact": "pact4",
    "dorefa": "dorefa4-2",
    "mbn": "mbn3x1",
    "xnor": "xnor",
    "bnn": "bnn",
}
_SEPARATOR = {"pact": "-", "dorefa": "-", "mbn": "x"}


@dataclass(frozen=True, order=True)
class Pruning:
    """What is removed from a trained network before it is trained on, by magnitude.

    Attributes:
        what: "w", single weights of every layer; "c", channels between layers, really removed.
        percent: how much, 1 to 99: of the weights, or of the multiply-accumulates that the channels cost.
    """

    what: Literal["w", "c"]
    percent: int

    def __post_init__(self) -> None:
        known_name("kind of pruning", self.what, ("w", "c"))
        whole("pruned percent", self.percent, 1, 99, "e.g. 'fp~w50'")

    def __str__(self) -> str:
        return f"~{self.what}{self.percent}"


@total_ordering
@dataclass(frozen=True)
class Precision:
    """How every layer computes; ordered by method (as in METHODS), weight, activation and pruning, ascending.

    Attributes:
        method: fp, ptq, pact, dorefa, mbn, xnor or bnn.
        weight: bits of a weight (weight bases M for mbn). fp is counted as 8 and computes in float32.
        activation: bits of an activation (activation bases N for mbn); float32 counted as 8 for fp and ptq.
        pruning: what is removed, or None; of fp only.

    Raises UserError where the method does not exist with these numbers.

    >>> str(Precision("pact", 4, 4)), str(Precision("mbn", 3, 1))
    ('pact4', 'mbn3x1')
    >>> [str(p) for p in sorted(map(Precision.parse, ("xnor", "dorefa4-4", "dorefa4-2", "fp")))]
    ['fp', 'dorefa4-2', 'dorefa4-4', 'xnor']
    """

    method: str
    weight: int
    activation: int
    pruning: Pruning | None = None

    def __post_init__(self) -> None:
        low, high = METHODS[known_name("precision method", self.method, METHODS)]
        if self.pruning is not None and self.method != "fp":
            raise UserError("pruned precision", got=self.method, expected="fp", hint="e.g. 'fp~w50'")
        unit, hint = ("bases" if self.method == "mbn" else "bits"), f"e.g. {_EXAMPLES.get(self.method, self.method)!r}"
        whole(f"weight {unit} of {self.method}", self.weight, low, high, hint)
        low = high if self.method in REAL_ACTIVATIONS else low
        whole(f"activation {unit} of {self.method}", self.activation, low, high, hint)

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read a token such as `fp`, `pact4`, `dorefa4-2`, `mbn3x1`; UserError with the nearest valid one.

        >>> Precision.parse("dorefa4") == Precision.parse("dorefa4-4") == Precision("dorefa", 4, 4)
        True
        """
        short = token if isinstance(token, str) and len(token) <= 100 else ""
        if match := _PRUNED.fullmatch(short):
            what: Literal["w", "c"] = "w" if match["what"] == "w" else "c"
            return cls("fp", *METHODS["fp"], Pruning(what, int(match["percent"])))
        match = _TOKEN.fullmatch(short)
        if match is None or not _well_formed(match):
            raise UserError("unknown precision", got=token, expected=GRAMMAR, hint=_nearest(token))
        method, weight = match["method"], match["weight"]
        if weight is None:
            return cls(method, *METHODS[method])
        real = METHODS[method][1] if method in REAL_ACTIVATIONS else None
        return cls(method, int(weight), real or int(match["activation"] or weight))

    @property
    def float(self) -> bool:
        """Whether it is the full-precision network: float32, although counted as 8 bits, and nothing pruned."""
        return self.method == "fp" and self.pruning is None

    @property
    def real(self) -> bool:
        """Whether activations are float32."""
        return self.method in REAL_ACTIVATIONS

    @property
    def binary(self) -> bool:
        """Whether its activations are signs (or sums of signs)."""
        return self.method in ("mbn", "xnor", "bnn")

    def at(self, stage: int) -> "Precision":
        """What a stage of the network computes in: the same everywhere."""
        return self

    def __str__(self) -> str:
        if self.method == "ptq":
            return f"ptq{self.weight}"
        if self.method not in _SEPARATOR:
            return f"{self.method}{self.pruning or ''}"
        if self.method == "pact" and self.weight == self.activation:
            return f"pact{self.weight}"
        return f"{self.method}{self.weight}{_SEPARATOR[self.method]}{self.activation}"

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, Precision) else NotImplemented  # Staged come after

    @property
    def rank(self) -> tuple[int, int, int, str, int]:
        """What precisions are ordered by."""
        removed = (self.pruning.what, self.pruning.percent) if self.pruning else ("", 0)
        return list(METHODS).index(self.method), self.weight, self.activation, *removed


def all_precisions() -> Iterator[Precision]:
    """Every valid precision in which nothing is pruned, in sorting order."""
    for method, (low, high) in METHODS.items():
        least = high if method in REAL_ACTIVATIONS else low
        for weight in range(low, high + 1):
            yield from (Precision(method, weight, activation) for activation in range(least, high + 1))


def _well_formed(match: re.Match[str]) -> bool:
    """Whether the numbers fit the method: none for fp, K for ptq, W or W-A for fixed point, MxN for mbn."""
    method, shape = match["method"], (match["weight"] is not None, match["sep"])
    if method == "mbn":
        return shape == (True, "x")
    if method == "ptq":
        return shape == (True, None)
    if method in _SEPARATOR:
        return shape in ((True, None), (True, "-"))
    return method in METHODS and shape == (False, None)


def _nearest(token: object) -> str:
    start = str(token).lower()[:100]
    near = [known for known in _tokens() if start and known.startswith(start)]
    near = near or get_close_matches(start, _tokens(), n=1)
    return f"did you mean {near[0]!r}?" if near else "e.g. 'mbn3x1'"


@cache
def _tokens() -> tuple[str, ...]:
    return (*(str(precision) for precision in all_precisions()), "fp~w50", "fp~c50")
