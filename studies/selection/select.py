"""One configuration to take home: limits first, then a rule, with its reason and the runners-up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluators.verdict import JUDGED, Verdict
from space.shown import counted
from studies.confirmation.confirmed import Confirmation
from studies.fronts.knees import by_trade_off
from studies.limits import Limit
from studies.records import Record, front
from studies.selection.refusal import nothing_admitted
from studies.selection.rules.reading import default_rule, read_rule
from studies.terms import USUAL, Terms

RUNNERS_UP = 3
LIKELY = 0.5
"""Probability of being on the front below which a choice is said to be doubtful."""

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
        confirmation: where the records come from; None for those of the search.
        unconfirmed: numbers of the search's front that the confirmation does not know.
        fallen: how many candidates were confirmed of which none stands; 0 where any does, or nothing was confirmed.
        sure: probability that the chosen record is on the front, None where it is not known.
        failed: how many trainings of the chosen candidate by other seeds failed; its mean leaves them out.
    """

    chosen: Record
    rule: str
    reason: str
    runners_up: tuple[Record, ...]
    knee: Record | None
    terms: Terms
    confirmation: Confirmation | None = None
    unconfirmed: tuple[int, ...] = ()
    fallen: int = 0
    sure: float | None = None
    failed: int = 0

    @property
    def warning(self) -> str:
        """What is doubtful about the choice, in one sentence; "" for nothing."""
        one, told = self.chosen, []
        if self.confirmation is not None and not self.confirmation.complete:
            told.append("the confirmation is not finished")
        if self.fallen:
            told.append(
                f"none of {counted(self.fallen, 'confirmed candidate')} stands, and these are the search's numbers"
            )
        if self.unconfirmed:
            told.append(
                f"{', '.join(f'#{number}' for number in self.unconfirmed)} came to the front since it was confirmed"
            )
        if one.verdict in DOUBTS:
            rules = ", ".join(one.rules)
            told.append(f"{JUDGED} of #{one.number} is {one.verdict} ({rules}): {DOUBTS[one.verdict]}")
        if self.failed:
            trainings = counted(self.failed, "training")
            told.append(f"{trainings} of #{one.number} by other seeds failed, and its values leave that out")
        told += [_doubtful(one, limit) for limit in self.terms.limits if _is_doubtful(one, limit)]
        if self.sure is not None and self.sure < LIKELY:
            told.append(f"P(front) of #{one.number} is {self.sure:.2f}: given the errors, others probably beat it")
        return "; ".join(told)


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
        rule: see `selection.rules.reading`; None for `default_rule`. A tie goes to the cheaper, then to the older.

    Raises UserError for an unknown rule, for a knee where there is none, and when the terms admit nothing,
    naming the record that comes closest to the limits.
    """
    records, chosen_by = list(records), read_rule(rule or default_rule(objectives), objectives)
    members = front(records, objectives, terms)
    if not members:
        raise nothing_admitted(records, terms)
    ranked = chosen_by.order(members)
    others = [one for one in members if one not in ranked]
    alone = f"#{ranked[0].number} is the only record of the front{' within the limits' if terms.limits else ''}"
    return Selection(
        chosen=ranked[0],
        rule=f"{chosen_by.words}{_among(terms.limits)}",
        reason=chosen_by.reason([*ranked, *others]) if len(members) > 1 else alone,
        runners_up=tuple(ranked[1 : 1 + RUNNERS_UP]),
        knee=next((one.record for one in by_trade_off(members, objectives)), None),
        terms=terms,
    )


def by_hand(chosen: Record, members: Sequence[Record], objectives: Sequence[str], terms: Terms) -> Selection:
    """The selection of a record that a person pointed at.

    Args:
        chosen: one of the members.
        members: of the front, in the order in which the person saw them.
        objectives: names.
        terms: which all members meet.
    """
    return Selection(
        chosen=chosen,
        rule=f"by hand, from the front{_among(terms.limits)}",
        reason=f"#{chosen.number} was picked among the {len(members)} records of the front",
        runners_up=tuple(one for one in members if one != chosen)[:RUNNERS_UP],
        knee=next((one.record for one in by_trade_off(members, objectives)), None),
        terms=terms,
    )


def _is_doubtful(chosen: Record, limit: Limit) -> bool:
    """Whether what was measured meets a limit by less than its error: what is chosen from many often does by luck."""
    measured = chosen.measurements.get(limit.objective)
    return measured is not None and limit.may_be_broken(measured)


def _doubtful(chosen: Record, limit: Limit) -> str:
    low, high = chosen.measurements[limit.objective].interval
    return f"{limit.objective} of #{chosen.number} may break {limit}: its 95 % interval is {low:.4g} to {high:.4g}"


def _among(limits: Sequence[Limit]) -> str:
    return f" where {' and '.join(map(str, limits))}" if limits else ""
