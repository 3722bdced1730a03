"""Terms: what a candidate must meet to be on a front, or to be chosen from it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from evaluators.verdict import Verdict
from studies.limits import Limit, meets

if TYPE_CHECKING:
    from studies.records import Record

NEAR = 0.16
"""Probability of being on the front from which a record off it is confirmed too: what a normal error has of being more
than one standard error in its favour."""


@dataclass(frozen=True)
class Terms:
    """What a candidate must meet to be on a front, or to be chosen from it.

    Attributes:
        limits: all must be measured and met.
        allow_masked: whether a robust accuracy that is known to be an over-estimate may be there.
    """

    limits: tuple[Limit, ...] = ()
    allow_masked: bool = False

    def admits(self, record: "Record") -> bool:
        """Whether a complete record may be on a front."""
        return meets(self.limits, record.measurements) and self.trusts(record.verdict)

    def trusts(self, verdict: Verdict) -> bool:
        """Whether a candidate of this verdict may be on a front; an invalid one never is."""
        return verdict != "invalid" and (self.allow_masked or verdict != "masked")

    def tightened(self, limits: Iterable[Limit]) -> Self:
        """The same terms with more limits on top."""
        return replace(self, limits=(*self.limits, *limits))


USUAL = Terms()
"""No limits, and nothing masked."""
