"""Texts of the command line read as values; every refusal is a UserError that names the flag."""

import math
import re
from argparse import Namespace
from collections.abc import Callable
from fractions import Fraction

from evaluators import find_diagnostics
from evaluators.base import THREATS, Threat
from evaluators.diagnostics.catalogue import LARGEST_ALPHA, SMALLEST_ALPHA
from evaluators.objectives import OBJECTIVES, find_objectives
from space.errors import UnknownName, UserError

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
EFFICIENCY = "efficiency"
"""Stands for the cost model that --cost-model names."""

ENGINES = ("processes", "ray")
"""What the workers of a run may be."""

UNREAD = (ValueError, ZeroDivisionError, OverflowError)
"""What reading a decimal or a ratio may raise."""

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


def whole(flag: str) -> Callable[[str], int]:
    """Make a reader of whole numbers for this flag; their range is checked where they are used."""

    def read(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UserError(flag, got=text, expected="a whole number") from None

    return read


def share(flag: str) -> Callable[[str], float]:
    """Make a reader of numbers from 0 to 1 for this flag."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= 1:
            raise UserError(flag, got=text, expected="a number from 0 to 1")
        return value

    return read


def epsilon(text: str) -> float:
    """Read a change of pixels: a decimal (0.2) or a ratio (8/255).

    >>> epsilon("51/255")
    0.2
    """
    hint = "write 8/255 for 8 grey levels"
    try:
        value = _ratio(text)
    except UNREAD:
        raise UserError("--epsilon", got=text, expected="a number or a ratio", hint=hint) from None
    if not 0 <= value <= 1:
        raise UserError("--epsilon", got=text, expected="0 to 1, as a part of the pixel range", hint=hint)
    return value


def duration(text: str) -> float:
    """Read a time as seconds: 90, 90s, 5m, 1.5h, 2d.

    >>> duration("1.5h")
    5400.0
    """
    match = DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else math.nan
    if not 0 < seconds < math.inf:
        raise UserError("--time", got=text, expected="a time longer than 0", hint="e.g. 90, 90s, 5m or 1h")
    return seconds


def engine(text: str) -> str:
    """Read what the workers of a run are."""
    if text not in ENGINES:
        raise UnknownName("--engine", text, ENGINES)
    return text


def objectives(text: str) -> tuple[str, ...]:
    """Read names joined by commas; unknown, repeated and missing ones are refused."""
    names = tuple(name.strip() for name in text.split(","))
    hint = "e.g. --objectives acc,pgd,bops"
    if "" in names:
        raise UserError("--objectives", got=text, expected="names joined by commas", hint=hint)
    if len(set(names)) < len(names):
        raise UserError("--objectives", got=text, expected="each name once", hint=hint)
    find_objectives(name for name in names if name != EFFICIENCY)
    return names


def rungs(text: str) -> tuple[int, ...]:
    """Read epochs joined by commas; whether a training passes them is checked where its epochs are known.

    >>> rungs("1, 2")
    (1, 2)
    """
    try:
        return tuple(int(part) for part in text.split(",") if text.strip())
    except ValueError:
        raise UserError("--rungs", got=text, expected="epochs joined by commas", hint="e.g. --rungs 1,2") from None


def names(text: str) -> tuple[str, ...]:
    """Read any names joined by commas; empty ones are left out."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def diagnostics(text: str) -> tuple[str, ...]:
    """Read names joined by commas; unknown, repeated and missing ones are refused."""
    names = tuple(name.strip() for name in text.split(","))
    if "" in names or len(set(names)) < len(names):
        hint = "e.g. --only lipschitz,steps"
        raise UserError("--only", got=text, expected="names joined by commas, each once", hint=hint)
    return tuple(one.name for one in find_diagnostics(names))


def alphas(text: str) -> tuple[float, ...]:
    """Read step sizes as shares of epsilon, joined by commas.

    >>> alphas("0.05,1/4")
    (0.05, 0.25)
    """
    try:
        shares = tuple(_ratio(part.strip()) for part in text.split(","))
    except UNREAD:
        shares = ()
    if not shares or not all(SMALLEST_ALPHA <= share <= LARGEST_ALPHA for share in shares):
        expected = f"shares of epsilon from {SMALLEST_ALPHA:g} to {LARGEST_ALPHA:g}, joined by commas"
        raise UserError("--alphas", got=text, expected=expected, hint="e.g. --alphas 0.05,0.25,0.5")
    return shares


def cost_model(text: str) -> str:
    """Read the name of a cost model: an objective that is known before training."""
    known = [name for name, one in OBJECTIVES.items() if one.stage == "cost"]
    if text not in known:
        raise UnknownName("cost model", text, known)
    return text


def settle_efficiency(args: Namespace) -> None:
    """Put the chosen cost model in the place of `efficiency`, so that a study records what it really measures."""
    if not hasattr(args, "cost_model"):
        return
    args.objectives = tuple(args.cost_model if name == EFFICIENCY else name for name in args.objectives)
    if len(set(args.objectives)) < len(args.objectives):
        got, hint = ",".join(args.objectives), f"{EFFICIENCY} stands for {args.cost_model}"
        raise UserError("--objectives", got=got, expected="each name once", hint=hint)
    args.limit = [re.sub(rf"^\s*{EFFICIENCY}\b", args.cost_model, text) for text in getattr(args, "limit", [])]


def threat(text: str) -> Threat:
    """Read a threat model."""
    for known in THREATS:
        if text == known:
            return known
    raise UnknownName("threat model", text, THREATS)


def device(text: str) -> str:
    """Read a device's form; whether this machine has it is found out when it is opened."""
    if not DEVICE.fullmatch(text):
        raise UserError("unknown device", got=text, expected="auto, cpu, cuda or cuda:N")
    return text


def _ratio(text: str) -> float:
    """A decimal or a ratio; one of UNREAD for anything else. A Fraction would write 1e99999999 out in full."""
    return float(Fraction(text)) if "/" in text else float(text)
