"""The best trade-off of all objectives."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from space.errors import UserError
from space.shown import counted
from studies.fronts.knees import by_trade_off
from studies.records import Record


@dataclass(frozen=True)
class Knee:
    """The largest bulge over the plane through the extremes; see `studies.fronts.knees` and `Rule`."""

    objectives: tuple[str, ...]
    instead: str

    @property
    def words(self) -> str:
        """What is chosen."""
        return "the largest bulge of the front over the plane through its extremes"

    def order(self, members: Sequence[Record]) -> list[Record]:
        """Those that bulge, most first; UserError where none does."""
        ranked = [one.record for one in by_trade_off(members, self.objectives)]
        if not ranked:
            expected, hint = "three or more that do not lie on a plane", f"use --rule {self.instead}"
            raise UserError("front without a knee", got=counted(len(members), "record"), expected=expected, hint=hint)
        return ranked

    def reason(self, ranked: Sequence[Record]) -> str:
        """Its lead over the next, where that is within the error; `ranked` holds the whole front."""
        best, *others = by_trade_off(ranked, self.objectives)
        text = f"#{best.record.number} bulges most among the {len(ranked)} records of the front"
        if not others:
            return text
        lead, error = best.height - others[0].height, math.hypot(best.stderr, others[0].stderr)
        less = f"; #{others[0].record.number} does so by {lead:.2g} of the front's range less, within its error of"
        return f"{text}{less} {error:.2g}" if 0 < error >= lead else text
