"""Checks shared by everything that reads a design from a person, a TOML or a JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from space.errors import UnknownName, UserError


def whole(what: str, value: object, low: int, high: int, hint: str) -> int:
    """Return `value` if it is a whole number (no bool, no float) in low … high; UserError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(what, got=value, expected=f"a whole number, {low} to {high}", hint=hint)
    if not low <= value <= high:
        raise UserError(f"{what} out of range", got=value, expected=f"{low} to {high}", hint=hint)
    return value


def known_name(kind: str, value: object, known: Iterable[str]) -> str:
    """Return `value` if it is one of the `known` names; UnknownName with the nearest one otherwise."""
    names = tuple(known)
    if not isinstance(value, str) or value not in names:
        raise UnknownName(kind, value, names)
    return value


def exact_keys(what: str, data: object, keys: Iterable[str]) -> Mapping[str, Any]:
    """Return `data` if it is a JSON object with exactly these keys; UserError or UnknownName otherwise."""
    expected = tuple(keys)
    if not isinstance(data, Mapping):
        raise UserError(what, got=data, expected="an object", hint="its keys are " + ", ".join(expected))
    for key in data:
        known_name(f"key of {what}", key, expected)
    if missing := [key for key in expected if key not in data]:
        raise UserError(
            f"{what} lacks a key",
            got=list(data),
            expected=", ".join(expected),
            hint=f"add {', '.join(missing)}",
        )
    return data
