"""Rules as a person types them."""

import math
from collections.abc import Callable, Sequence

from evaluators.objectives import Objective, find_objective, find_objectives
from space.errors import UserError
from studies.selection.rules.base import Rule
from studies.selection.rules.best import Best
from studies.selection.rules.closest import Closest
from studies.selection.rules.knee import Knee
from studies.selection.rules.lexicographic import Lexicographic, Step
from studies.selection.rules.weights import Weights

FORMS = {
    "best": "best:OBJECTIVE",
    "knee": "knee",
    "lexicographic": "lexicographic:A~TOLERANCE,B,…",
    "weights": "weights:A=W,B=W,…",
    "closest": "closest:A=VALUE,B=VALUE,…",
}
"""How each rule is written."""


def default_rule(objectives: Sequence[str]) -> str:
    """best:pgd if that is an objective, else the first of which more is better, else the first."""
    upward = [one.name for one in find_objectives(objectives) if one.maximize]
    return "best:" + ("pgd" if "pgd" in objectives else [*upward, *objectives][0])


def read_rule(text: str, objectives: Sequence[str]) -> Rule:
    """Read a rule.

    Args:
        text: one of FORMS.
        objectives: of the study; no other may be named.
    Raises: UserError, UnknownName for what can't be read.

    >>> read_rule("best:pgd", ("acc", "pgd")).words
    'the highest worst-case accuracy under attack (pgd)'
    """
    kind, colon, rest = text.partition(":")
    if kind not in FORMS or bool(colon) == (kind == "knee"):
        hint = f"e.g. {default_rule(objectives)}"
        raise UserError("unknown rule", got=text, expected=" or ".join(FORMS.values()), hint=hint)
    if kind == "knee":
        return Knee(tuple(objectives), default_rule(objectives))
    if kind == "best":
        return Best(_objective(rest, text, objectives))
    if kind == "lexicographic":
        steps = _pairs(text, rest, "~", objectives, _tolerance, default=0.0)
        return Lexicographic(tuple(Step(one, tolerance) for one, tolerance in steps))
    pairs = _pairs(text, rest, "=", objectives, _weight if kind == "weights" else _wish)
    named, numbers = tuple(one for one, _ in pairs), tuple(value for _, value in pairs)
    if kind == "closest":
        return Closest(named, numbers)
    if not any(numbers):
        raise UserError("rule", got=text, expected="a weight above 0")
    return Weights(named, numbers)


def check_rule(text: str, objectives: Sequence[str]) -> None:
    """Raise UserError unless the rule can be read."""
    read_rule(text, objectives)


def _objective(name: str, rule: str, objectives: Sequence[str]) -> Objective:
    found = find_objective(name)
    if found.name not in objectives:
        raise UserError("rule", got=rule, expected="an objective of the study: " + ", ".join(objectives))
    return found


def _pairs(
    rule: str,
    text: str,
    sign: str,
    objectives: Sequence[str],
    fits: Callable[[Objective, float], bool],
    default: float | None = None,
) -> list[tuple[Objective, float]]:
    """Objectives with a number each, joined by commas, in their order."""
    found: list[tuple[Objective, float]] = []
    for part in text.split(","):
        name, marked, number = part.partition(sign)
        objective = _objective(name.strip(), rule, objectives)
        value = _number(number) if marked or default is None else default
        if not fits(objective, value):
            kind, example = rule.partition(":")[0], _example(rule)
            raise UserError(f"{kind} of {objective.name}", got=number or part, expected=example[0], hint=example[1])
        if objective in [one for one, _ in found]:
            raise UserError("rule", got=rule, expected="each objective once")
        found.append((objective, value))
    return found


def _example(rule: str) -> tuple[str, str]:
    kind = rule.partition(":")[0]
    return {
        "lexicographic": ("a tolerance of 0 or more, a share of a cost", "e.g. lexicographic:pgd~0.01,bops"),
        "weights": ("a weight of 0 or more", "e.g. weights:pgd=2,acc=1"),
        "closest": (
            "a value that it can have: a fraction from 0 to 1, or a cost above 0",
            "e.g. closest:pgd=0.8,acc=0.95",
        ),
    }[kind]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _tolerance(objective: Objective, value: float) -> bool:
    return 0 <= value < math.inf


def _weight(objective: Objective, value: float) -> bool:
    return 0 <= value < math.inf


def _wish(objective: Objective, value: float) -> bool:
    return 0 <= value <= 1 if objective.unit == "fraction" else 0 < value < math.inf
