"""The axes of a search space: what each may hold, checked value by value."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from space.candidate import MAX_LAYERS, MAX_MEMBERS, MAX_MU, check_width
from space.checks import known_name, whole
from space.errors import UserError
from space.precision import Precision
from space.stages import AnyPrecision, Staged, expand, read_precision
from space.text import RECIPES, VOTES


def _precision(value: object) -> AnyPrecision:
    if isinstance(value, Precision | Staged):
        return value
    if not isinstance(value, str):
        raise UserError("precision", got=value, expected="text", hint="e.g. 'mbn3x1'")
    return read_precision(value)


def _spelt_out(values: list[Any] | tuple[Any, ...]) -> Iterator[Any]:
    """The values, patterns with alternatives in braces replaced by what they stand for."""
    for value in values:
        yield from expand(value) if isinstance(value, str) and "{" in value else (value,)


AXES: dict[str, Callable[[object], Any]] = {
    "input_bits": lambda value: whole("input_bits", value, 1, 8, "8 leaves the input as it is"),
    "precisions": _precision,
    "members": lambda value: whole("members", value, 1, MAX_MEMBERS, "1 is a single network"),
    "full_precision": lambda value: whole("full_precision", value, 0, MAX_MEMBERS, "0 is an ensemble without fp"),
    "votes": lambda value: known_name("vote", value, VOTES),
    "mu": lambda value: whole("mu", value, 0, MAX_MU, "0 means no mapping"),
    "mapped_layers": lambda value: whole("mapped_layers", value, 1, MAX_LAYERS, "1 is the classifier alone"),
    "recipes": lambda value: known_name("recipe", value, RECIPES),
    "widths": check_width,
}
"""Every axis and the check of one of its values: returns it in its proper type, or raises UserError."""


def check_axis(name: str, values: object) -> tuple[Any, ...]:
    """The values of one axis in ascending order, so that equal spaces are equal however they were written.

    Precisions may be patterns such as `{mbn3x1,pact4}/{mbn1x1,pact2}/pact2`, which stand for each of their choices.
    Raises UserError for anything but a list, an empty one, a repeated or an impossible value.

    >>> check_axis("input_bits", [8, 2])
    (2, 8)
    >>> [str(one) for one in check_axis("precisions", ["{fp,bnn}/bnn", "fp"])]
    ['fp', 'bnn', 'fp/bnn']
    """
    if not isinstance(values, list | tuple):
        raise UserError(f"axis {name}", got=values, expected="a list", hint=f"write {name} = […]")
    if not values:
        hint = "leave the key out for its default" if name != "precisions" else "e.g. precisions = ['fp']"
        raise UserError(f"axis {name} is empty", got=values, expected="at least one value", hint=hint)
    checked = [AXES[name](value) for value in (_spelt_out(values) if name == "precisions" else values)]
    value, times = Counter(checked).most_common(1)[0]
    if times > 1:
        raise UserError(f"axis {name} repeats a value", got=str(value), expected="each value once", hint="remove one")
    return tuple(sorted(checked))
