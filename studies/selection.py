"""One configuration to take home: limits first, then a rule, with its reason and the runners-up."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES, Objective, find_objective, find_objectives
from evaluators.verdict import JUDGED, Verdict
from space.errors import UserError
from studies.knees import Bulge, by_trade_off
from studies.limits import Limit
from studies.records import Record, front
from studies.terms import USUAL, Terms

RUNNERS_UP = 3
DOUBTS: dict[Verdict, str] = {
    "suspect": "something hides gradients, or an attack had not settled",
    "masked": "it is still an over-estimate",
}
"""What a verdict says of a chosen record's robust accuracy."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was chosen, and why.

    Attributes:
        chosen: a record of the front.
        rule: the rule in words.
        reason: why this record, in one sentence.
        runners_up: the next ones by the same rule, at most three.
        knee: the record of the front with the best trade-off, as a suggestion; None if there is none.
        terms: which every record named here meets.
    """

    chosen: Record
    rule: str
    reason: str
    runners_up: tuple[Record, ...]
    knee: Record | None
    terms: Terms

    @property
    def warning(self) -> str:
        """What is doubtful about the chosen record's robust accuracy, in one sentence; "" for nothing."""
        one = self.chosen
        if one.verdict not in DOUBTS:
            return ""
        return f"{JUDGED} of #{one.number} is {one.verdict} ({', '.join(one.rules)}): {DOUBTS[one.verdict]}"


def select(
    records: Iterable[Record],
    objectives: Sequence[str],
    terms: Terms = USUAL,
    rule: str | None = None,
) -> Selection:
    """Choose one record of the front.

    Args:
        records: of one study, any states.
        objectives: names.
        terms: come first; what they do not admit is out.
        rule: "best:NAME" with an objective of the study (a tie goes to the cheaper, then to the older), or
            "knee"; None for `default_rule`.

    Raises UserError for an unknown rule, for a knee where there is none, and when the terms admit nothing,
    naming the record that comes closest to the limits.
    """
    records, rule = list(records), rule or default_rule(objectives)
    check_rule(rule, objectives)
    members = front(records, objectives, terms)
    if not members:
        raise _nothing_admitted(records, terms)
    bulges = by_trade_off(members, objectives)
    trade_off = [one.record for one in bulges]
    ranked = trade_off if rule == "knee" else _by_value(members, _objective_of(rule))
    if not ranked:
        expected, hint = "three or more that do not lie on a plane", f"use --rule {default_rule(objectives)}"
        raise UserError("front without a knee", got=f"{len(members)} records", expected=expected, hint=hint)
    words = f"{_in_words(rule)}{_among(terms.limits)}"
    return Selection(
        chosen=ranked[0],
        rule=words,
        reason=_bulging(bulges, len(members)) if rule == "knee" else _reason(ranked, rule, len(members)),
        runners_up=tuple(ranked[1 : 1 + RUNNERS_UP]),
        knee=trade_off[0] if trade_off else None,
        terms=terms,
    )


def default_rule(objectives: Sequence[str]) -> str:
    """best:pgd if that is an objective, else the first of which more is better, else the first."""
    upward = [one.name for one in find_objectives(objectives) if one.maximize]
    return "best:" + ("pgd" if "pgd" in objectives else [*upward, *objectives][0])


def check_rule(rule: str, objectives: Sequence[str]) -> None:
    """Raise UserError unless the rule is "knee" or "best:NAME" with one of the objectives."""
    kind, colon, name = rule.partition(":")
    if rule != "knee" and (kind != "best" or not colon):
        hint = f"e.g. {default_rule(objectives)}"
        raise UserError("unknown rule", got=rule, expected="best:OBJECTIVE or knee", hint=hint)
    if rule != "knee" and find_objective(name).name not in objectives:
        raise UserError("rule", got=rule, expected="an objective of the study: " + ", ".join(objectives))


def _objective_of(rule: str) -> Objective:
    return find_objective(rule.removeprefix("best:"))


def _by_value(members: Sequence[Record], objective: Objective) -> list[Record]:
    """Best first; of equals the cheaper, then the older."""
    sign = -1.0 if objective.maximize else 1.0
    costs = [one.name for one in OBJECTIVES.values() if one.stage == "cost"]

    def rank(record: Record) -> tuple[float, ...]:
        prices = [record.measurements[name].value for name in costs if name in record.measurements]
        return (sign * record.measurements[objective.name].value, *prices, record.number)

    return sorted(members, key=rank)


def _in_words(rule: str) -> str:
    if rule == "knee":
        return "the largest bulge of the front over the plane through its extremes"
    objective = _objective_of(rule)
    return f"the {'highest' if objective.maximize else 'lowest'} {objective.label} ({objective.name})"


def _among(limits: Sequence[Limit]) -> str:
    return f" where {' and '.join(map(str, limits))}" if limits else ""


def _reason(ranked: Sequence[Record], rule: str, size: int) -> str:
    """Say in one sentence what set the first apart from the second."""
    best, *others = ranked
    if size == 1:
        return f"#{best.number} is the only record of the front"
    name = _objective_of(rule).name
    mine, next_ = best.measurements[name], others[0].measurements[name]
    text = f"#{best.number} has {name} {_shown(mine)}, the best of the {size} records of the front"
    if mine.value == next_.value:
        return f"{text}, and is cheaper or older than #{others[0].number}, which has the same"
    return f"{text}; next is #{others[0].number} with {_shown(next_)}{_noise(best, others, name)}"


def _bulging(bulges: Sequence[Bulge], size: int) -> str:
    """Say in one sentence what is the knee, and whether the next one may as well be."""
    best, *others = bulges
    text = f"#{best.record.number} bulges most among the {size} records of the front"
    if not others:
        return text
    lead, error = best.height - others[0].height, math.hypot(best.stderr, others[0].stderr)
    less = f"; #{others[0].record.number} does so by {lead:.2g} of the front's range less, within its error of"
    return f"{text}{less} {error:.2g}" if 0 < error >= lead else text


def _noise(best: Record, others: Sequence[Record], name: str) -> str:
    """Say how little sets the best apart from the next, and from whom else, if that is within its standard error."""
    mine, next_ = best.measurements[name], others[0].measurements[name]
    if not _within(mine, next_):
        return ""
    apart, error = 100 * abs(mine.value - next_.value), 100 * math.hypot(mine.stderr, next_.stderr)
    alike = sum(_within(mine, one.measurements[name]) for one in others)
    rest = f", as are {alike - 1} more" if alike > 2 else ", as is 1 more" if alike == 2 else ""
    return f", {apart:.1f} points below, within its error of {error:.1f}{rest}"


def _within(one: Measurement, other: Measurement) -> bool:
    """Whether two values differ by no more than the standard error of their difference; exact ones never do."""
    error = math.hypot(one.stderr, other.stderr)
    return error > 0 and abs(one.value - other.value) <= error


def _shown(measurement: Measurement) -> str:
    error = f" ± {measurement.stderr:.2g}" if measurement.stderr else ""
    return f"{measurement.value:.4g}{error}"


def _nothing_admitted(records: Sequence[Record], terms: Terms) -> UserError:
    complete = [record for record in records if record.state == "complete"]
    if not complete:
        hint = "run the search longer"
        return UserError("nothing to select from", got=f"{len(records)} records, none complete", hint=hint)
    trusted = [record for record in complete if terms.trusts(record.verdict)]
    if not trusted:
        hint = "a new study with --allow-masked admits them"
        return UserError("nothing to select from", got=f"{len(complete)} complete records, all masked", hint=hint)
    return _nothing_meets(trusted, terms.limits)


def _nothing_meets(trusted: Sequence[Record], limits: Sequence[Limit]) -> UserError:
    closest = min(trusted, key=lambda record: (_miss(record, limits), record.number))
    misses = [_told(closest, one) for one in limits if _misses(closest, one)]
    hint = f"closest is #{closest.number} {closest.candidate}: {', '.join(misses)}"
    return UserError("no record meets the limits", got=", ".join(map(str, limits)), hint=hint)


def _misses(record: Record, limit: Limit) -> bool:
    return limit.objective not in record.measurements or limit.broken_by(record.measurements)


def _miss(record: Record, limits: Sequence[Limit]) -> float:
    """How far a record is from meeting all limits, in fractions and doublings; infinite if unmeasured."""
    total = 0.0
    for limit in limits:
        measured = record.measurements.get(limit.objective)
        total += float("inf") if measured is None else max(0.0, limit.violation(measured.value))
    return total


def _told(record: Record, limit: Limit) -> str:
    measured = record.measurements.get(limit.objective)
    if measured is None:
        return f"{limit.objective} was not measured for {limit}"
    gap = abs(measured.value - limit.value)
    return f"{limit.objective} {measured.value:.4g} misses {limit} by {gap:.3g}"
