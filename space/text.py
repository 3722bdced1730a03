"""The text form of a candidate: `[inK:]MEMBER[+MEMBER…][:mean|majority][:muM@L][:RECIPE][:xW]`.

Reading gives the fields of the JSON form, and writing takes them, so that this module knows no classes.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from space.errors import UserError

VOTES = ("mean", "majority")
"""How an ensemble decides: mean probability, or most votes."""

RECIPES = ("standard", "warm", "fgsm", "rfgsm", "fastat", "pgd", "feedback", "distill", "gradreg")
"""How a member is trained; `standard` is omitted in text."""

DEFAULTS: Mapping[str, Any] = {
    "input_bits": 8,
    "vote": None,
    "mapping": None,
    "recipe": "standard",
    "width": 1.0,
}
"""What a field is when the text does not mention it."""

GRAMMAR = "[inK:]MEMBER[+MEMBER…][:mean|majority][:muM@L][:RECIPE][:xW]"
EXAMPLE = "e.g. 'in4:mbn3x1'"
MAX_LENGTH = 1000
_NUMBER = "(0|[1-9][0-9]*)"
_INPUT = re.compile(f"in{_NUMBER}")
_MAPPING = re.compile(f"mu{_NUMBER}@{_NUMBER}")
_WIDTH = re.compile(rf"x({_NUMBER}(\.[0-9]{{1,4}})?)")


def read(text: str) -> dict[str, Any]:
    """Split the text form into the fields of the JSON form; values out of range are left to the caller.

    The options after the members come in any order, each at most once. Raises UserError for anything else.

    >>> read("in2:fp+dorefa4-2:x0.5:majority")["vote"]
    'majority'
    """
    fields: dict[str, Any] = {}
    for token in _segments(text):
        name, value = _option(token) if "members" in fields else _start(token)
        if name in fields:
            raise UserError(f"second {name} in candidate", got=token, expected="only one", hint="remove one")
        fields[name] = value
    if "members" not in fields:
        raise UserError("candidate without members", got=text, expected=GRAMMAR, hint="e.g. 'in4:fp'")
    return {**DEFAULTS, **fields}


def write(fields: Mapping[str, Any]) -> str:
    """Write the fields of a canonical JSON form as text; what is by default is left out.

    >>> write({**DEFAULTS, "members": ["mbn3x3"], "mapping": {"mu": 255, "layers": 1}, "input_bits": 4})
    'in4:mbn3x3:mu255@1'
    """
    mapping, vote, recipe, width = (fields[name] for name in ("mapping", "vote", "recipe", "width"))
    tokens = [f"in{fields['input_bits']}"] if fields["input_bits"] != DEFAULTS["input_bits"] else []
    tokens += ["+".join(fields["members"])]
    tokens += [vote] if vote not in (None, "mean") else []
    tokens += [f"mu{mapping['mu']}@{mapping['layers']}"] if mapping else []
    tokens += [recipe] if recipe != DEFAULTS["recipe"] else []
    tokens += [f"x{plain(width)}"] if width != DEFAULTS["width"] else []
    return ":".join(tokens)


def plain(number: float) -> str:
    """The shortest plain decimal of a number with at most four decimals.

    >>> plain(0.5), plain(2.0), plain(0.125)
    ('0.5', '2', '0.125')
    """
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _segments(text: str) -> list[str]:
    """The parts between colons, none of them empty."""
    if not isinstance(text, str):
        raise UserError("candidate", got=text, expected=f"text, {GRAMMAR}", hint=EXAMPLE)
    if len(text) > MAX_LENGTH:
        raise UserError("candidate too long", got=text, expected=f"at most {MAX_LENGTH} characters", hint=EXAMPLE)
    if text != "".join(text.split()):
        hint = f"write {''.join(text.split())!r}" if len(text) <= 80 else EXAMPLE
        raise UserError("white space in candidate", got=text, expected=GRAMMAR, hint=hint)
    if "" in (segments := text.split(":")):
        what = "empty part in candidate" if text else "empty candidate"
        raise UserError(what, got=text, expected=GRAMMAR, hint=EXAMPLE)
    return segments


def _start(token: str) -> tuple[str, Any]:
    """The field that a token up to the members sets, and its value."""
    if match := _INPUT.fullmatch(token):
        return "input_bits", int(match[1])
    if token.startswith("in"):
        raise UserError("malformed input bits", got=token, expected="in1 to in8", hint="e.g. 'in4:fp'")
    if "" in (members := token.split("+")):
        raise UserError("empty member in candidate", got=token, expected="MEMBER[+MEMBER…]", hint="e.g. 'fp+xnor'")
    return "members", members


def _option(token: str) -> tuple[str, Any]:
    """The field that a token after the members sets, and its value."""
    if token in VOTES:
        return "vote", token
    if token in RECIPES:
        return "recipe", token
    if match := _MAPPING.fullmatch(token):
        return "mapping", {"mu": int(match[1]), "layers": int(match[2])}
    if match := _WIDTH.fullmatch(token):
        return "width", float(match[1])
    expected = f"{', '.join(VOTES)}, muM@L, {', '.join(RECIPES)} or xW"
    raise UserError("unknown option in candidate", got=token, expected=expected, hint=_hint(token))


def _hint(token: str) -> str:
    if token.startswith("in"):
        return "input bits come first, e.g. 'in4:fp'"
    if token.startswith("mu"):
        return "mu and the number of last layers it maps, e.g. 'mu255@1'"
    if re.match(r"x[-+.0-9]", token):
        return "a plain decimal with at most 4 decimals, e.g. 'x0.5'"
    near = get_close_matches(token.lower(), (*VOTES, *RECIPES), n=1)
    return f"did you mean {near[0]!r}?" if near else "members are joined by '+', e.g. 'fp+xnor'"
