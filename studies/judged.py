"""What is said of measurements: how far plain PGD was off, and whether the robust accuracy can be believed."""

from collections.abc import Mapping

from evaluators.base import Measurement
from evaluators.verdict import JUDGED, Verdict, gap_of, rules_in, verdict_of


class Judged:
    """Whatever has measurements of one candidate.

    Attributes:
        measurements: by objective name.
    """

    measurements: Mapping[str, Measurement]

    @property
    def gap(self) -> float | None:
        """The masking gap of its robust accuracy, as a fraction; None where it was not measured."""
        return gap_of(self.measurements)

    @property
    def verdict(self) -> Verdict:
        """Whether its robust accuracy can be believed; of means over several seeds, the worst of theirs."""
        return verdict_of(self.measurements)

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules behind the verdict, worst first."""
        return rules_in(self.measurements[JUDGED].flags) if JUDGED in self.measurements else ()
