"""Limits: what a candidate must meet to be trained, shown or chosen."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES, find_objective
from space.errors import UserError

if TYPE_CHECKING:
    from studies.fronts.bounds import Bounds

Operator = Literal["<=", ">="]
OPERATORS: tuple[Operator, ...] = ("<=", ">=")
_FORM = re.compile(r"\s*([\w.-]+)\s*(<=|>=)\s*(\S+)\s*")


@dataclass(frozen=True)
class Limit:
    """An inequality that a measurement has to meet, the boundary included.

    Attributes:
        objective: name of any objective, in the study or not.
        op: "<=" or ">=".
        value: finite, in the objective's unit.

    Raises UserError for an unknown objective, another operator, or a value that no measurement can have.

    >>> str(Limit.parse(" bops <= 2e8"))
    'bops<=2e+08'
    """

    objective: str
    op: Operator
    value: float

    def __post_init__(self) -> None:
        fraction = find_objective(self.objective).unit == "fraction"
        if self.op not in OPERATORS:
            raise UserError("operator of a limit", got=self.op, expected="<= or >=")
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not math.isfinite(self.value):
            raise UserError(f"limit on {self.objective}", got=self.value, expected="a number")
        if fraction and not 0 <= self.value <= 1:
            hint = f"write {self.value / 100:g} for {self.value:g} %" if 1 < self.value <= 100 else ""
            raise UserError(f"limit on {self.objective}", got=self.value, expected="a fraction from 0 to 1", hint=hint)
        if not fraction and self.value <= 0:
            raise UserError(f"limit on {self.objective}", got=self.value, expected="more than 0")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read e.g. `bops<=2e8` or `acc>=0.8`; UserError says what is wrong with it."""
        match = _FORM.fullmatch(text)
        if match is None:
            hint = "quote it: the shell reads < and > itself"
            raise UserError("malformed limit", got=text, expected="OBJECTIVE<=NUMBER or OBJECTIVE>=NUMBER", hint=hint)
        name, op, value = match.groups()
        return cls(name, "<=" if op == "<=" else ">=", _number(name, value))

    def violation(self, value: float) -> float:
        """How far `value` is beyond the limit, > 0 if it breaks it; in fractions, or doublings of a cost."""
        sign = 1.0 if self.op == "<=" else -1.0
        if OBJECTIVES[self.objective].unit == "fraction":
            return sign * (value - self.value)
        return sign * (math.log2(max(value, 1e-9)) - math.log2(self.value))

    def broken_by(self, measurements: Mapping[str, Measurement]) -> bool:
        """Whether what was measured breaks the limit; what was not measured yet does not."""
        measured = measurements.get(self.objective)
        if measured is None:
            return False
        return self._broken_at(measured.value)

    def may_be_broken(self, measured: Measurement) -> bool:
        """Whether a value in the 95 % interval of what was measured breaks the limit."""
        return any(map(self._broken_at, measured.interval))

    def _broken_at(self, value: float) -> bool:
        return value > self.value if self.op == "<=" else value < self.value

    def __str__(self) -> str:
        return f"{self.objective}{self.op}{_shortest(self.value)}"


def first_broken(limits: Iterable[Limit], measurements: Mapping[str, Measurement]) -> Limit | None:
    """Return the first limit that the measurements break, or None."""
    return next((limit for limit in limits if limit.broken_by(measurements)), None)


def meets(limits: Iterable[Limit], measurements: Mapping[str, Measurement]) -> bool:
    """Whether every limit was measured and is met; an unmeasured one is not."""
    return all(one.objective in measurements and not one.broken_by(measurements) for one in limits)


def check_limits(limits: Sequence[Limit], bounds: "Bounds | None" = None) -> None:
    """Raise UserError if one is no Limit, or nobody can meet them: they contradict each other, or the space is outside.

    Args:
        limits: any number.
        bounds: cheapest and dearest cost of the space, if known.
    """
    for limit in limits:
        if not isinstance(limit, Limit):
            raise UserError("limit", got=repr(limit), expected="a Limit", hint='Limit.parse("bops<=2e8")')
    for name in dict.fromkeys(limit.objective for limit in limits):
        ceiling, floor = _tightest(limits, name, "<="), _tightest(limits, name, ">=")
        if ceiling and floor and floor.value > ceiling.value:
            raise UserError("limits that contradict each other", got=f"{floor} and {ceiling}")
        if bounds is not None and name in bounds.costs:
            _check_reach(name, bounds.costs[name], ceiling, floor)


def _check_reach(name: str, reach: tuple[float, float], ceiling: Limit | None, floor: Limit | None) -> None:
    low, high = reach
    if ceiling and ceiling.value < low:
        text = f"at least {low:.4g}, the cheapest candidate of the space"
        raise UserError(f"limit on {name} that nobody can meet", got=str(ceiling), expected=text)
    if floor and floor.value > high:
        text = f"at most {high:.4g}, the dearest candidate of the space"
        raise UserError(f"limit on {name} that nobody can meet", got=str(floor), expected=text)


def _tightest(limits: Iterable[Limit], name: str, op: Operator) -> Limit | None:
    """Return the limit on `name` with that operator which leaves the least room."""
    mine = [limit for limit in limits if (limit.objective, limit.op) == (name, op)]
    pick = min if op == "<=" else max
    return pick(mine, key=lambda limit: limit.value, default=None)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"limit on {name}", got=text, expected="a number, e.g. 2e8 or 0.8") from None


def _shortest(value: float) -> str:
    """Shortest text that reads back as the same number."""
    text = format(value, "g")
    return text if float(text) == value else repr(float(value))
