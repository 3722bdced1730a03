"""Proposals from the pool: when a candidate of known members is worth a trial, and which."""

from collections.abc import Sequence

from space.candidate import Candidate
from studies.bounds import Bounds
from studies.config import StudyConfig
from studies.expected import expected_gains
from studies.growth import Growth
from studies.pool import Pool
from studies.prospects import Foresees, Prospects
from studies.records import Record

NEEDED = 5
"""Complete records before anything is predicted."""

IN_A_ROW = 3
"""Proposals after which the sampler has a turn: it alone brings new members."""


class Proposer:
    """Proposes the candidate of known members that is expected to enlarge the front most, if that is worth a trial.

    It is, where the expected gain in hypervolume is above what the sampler's latest trials gained: these had
    trainings to pay as well, so that the gain per second is higher still. No clock is read: what is proposed follows
    from the study's seed and the measured values.

    Args:
        config: of the study.
        bounds: of the study; gains are hypervolumes within them.
        evaluator: is asked for costs and clean accuracies.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds, evaluator: Foresees) -> None:
        self._pool, self._growth = Pool(config.space, config.seed), Growth(config, bounds)
        self._prospects = Prospects(config, bounds, evaluator)
        self._read = 0

    def propose(self, records: Sequence[Record]) -> Candidate | None:
        """The next candidate to try, or None to leave the trial to the sampler.

        Args:
            records: of all trials so far, in their order.
        """
        for record in records[self._read :]:
            self._pool.add(record)
            self._growth.add(record)
        self._read = len(records)
        usual = self._growth.usual
        if usual is None or self._growth.complete < NEEDED or _all_from_pool(records[-IN_A_ROW:]):
            return None
        return self._best(records, usual)

    def _best(self, records: Sequence[Record], least: float) -> Candidate | None:
        """The untried candidate of the highest expected gain, if that is above `least`."""
        seen = {record.key for record in records}
        prospects = self._prospects.of({key: one for key, one in self._pool.candidates.items() if key not in seen})
        if not prospects:
            return None
        gains = expected_gains(self._growth.front, *self._prospects.losses(prospects, records))
        best = int(gains.argmax())
        return prospects[best].candidate if gains[best] > least else None


def _all_from_pool(records: Sequence[Record]) -> bool:
    return all(record.origin == "pool" for record in records)
