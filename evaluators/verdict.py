"""Whether a robust accuracy can be believed: what an evaluation flagged, and what it comes to."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from evaluators.base import Measurement

Verdict = Literal["unchecked", "ok", "suspect", "masked", "invalid"]
"""unchecked: nothing looked. ok: no rule triggered. suspect: something hides gradients, or an attack had not settled,
but the number has seen through it as far as we know. masked: the number is still an over-estimate. invalid: the model
is not a function that an attack can be run against."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""From good to bad, after "unchecked"."""

JUDGED = "pgd"
"""The objective whose measurement carries the flags."""


def flag(verdict: Verdict, rule: str) -> str:
    """How a rule that triggered is written among the flags of a measurement.

    >>> flag("masked", "black-box")
    'masked:black-box'
    """
    return f"{verdict}:{rule}"


def rules_in(flags: Iterable[str]) -> tuple[str, ...]:
    """The names of the rules that triggered, each once, worst first.

    >>> rules_in(("suspect:gap", "masked:black-box"))
    ('black-box', 'gap')
    """
    ranked = sorted(flags, key=lambda one: -VERDICTS.index(_severity(one)))
    return tuple(dict.fromkeys(one.partition(":")[2] for one in ranked))


def worst(flags: Iterable[str]) -> Verdict:
    """The verdict that flags come to: the worst of them, "ok" without any."""
    return max((_severity(one) for one in flags), key=VERDICTS.index, default="ok")


def verdict_of(measurements: Mapping[str, Measurement]) -> Verdict:
    """The verdict on what was measured of a candidate; "unchecked" where its worst case was not.

    A worst case always comes with the accuracy under plain PGD; one without is of an older version, and plain itself.
    """
    return worst(measurements[JUDGED].flags) if {JUDGED, "pgd_naive"} <= measurements.keys() else "unchecked"


def gap_of(measurements: Mapping[str, Measurement]) -> float | None:
    """The masking gap, pgd_naive - pgd, as a fraction; None where either was not measured."""
    naive, judged = measurements.get("pgd_naive"), measurements.get(JUDGED)
    return None if naive is None or judged is None else naive.value - judged.value


def _severity(text: str) -> Verdict:
    return next((one for one in VERDICTS if one == text.partition(":")[0]), "suspect")
