"""One form for all equal designs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from space.candidate import Candidate, Member

C = TypeVar("C", bound="Candidate")


def canonical(candidate: C) -> C:
    """The design with everything that changes nothing removed; a canonical one comes back equal.

    Members are sorted by precision (fp first, then the order of METHODS, then weight and activation bits
    ascending) and each index counts the equal precisions before it. One member has no vote, several have
    one. Width is a float.
    """
    vote = (candidate.vote or "mean") if len(candidate.members) > 1 else None
    members = number(candidate.members)
    if members is candidate.members and vote == candidate.vote and isinstance(candidate.width, float):
        return candidate
    return replace(candidate, members=members, vote=vote, width=float(candidate.width))


def number(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Members sorted by precision, the equal ones numbered 0, 1, …: `fp+fp` is fp/0 and fp/1. The same if they are."""
    seen: Counter[object] = Counter()
    numbered = []
    for member in sorted(members) if len(members) > 1 else members:
        index = seen[member.precision]
        numbered.append(member if member.index == index else replace(member, index=index))
        seen[member.precision] += 1
    return members if numbered == [*members] else tuple(numbered)
