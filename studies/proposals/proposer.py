"""Proposals: which candidate is expected to enlarge the front most for what it costs, and whether it is tried next."""

from collections import deque
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from space.candidate import Candidate
from studies.config import StudyConfig
from studies.fronts.bounds import Bounds
from studies.fronts.expected import expected_gains
from studies.fronts.growth import Growth
from studies.fronts.pareto import Floats
from studies.keys import Keys
from studies.pool import Pool
from studies.proposals.fresh import fresh
from studies.proposals.prospects import LEARNED, Foresees, Prospect, Prospects
from studies.proposals.work import Work
from studies.records import Origin, Record

NEEDED = 4
"""Complete records before anything is predicted."""

IN_A_ROW = {"model": 12, "pool": 3}
"""Proposals after which the sampler has a turn, however little it gained: a model can be wrong, and where candidates of
known members alone are proposed, nobody else brings new ones."""


class Proposer:
    """Proposes the candidate that is expected to gain most hypervolume for its work, if that is worth a trial.

    It is, where that rate is above what the sampler's latest trials gained for theirs. Candidates of known members cost
    an attack alone; of others, the missing trainings as well. No clock is read: what is proposed follows from the
    study's seed and the measured values.

    Args:
        config: of the study.
        bounds: of the study; gains are hypervolumes within them.
        evaluator: is asked for costs, prices and clean accuracies.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds, evaluator: Foresees) -> None:
        self._config, self._pool = config, Pool(config.space, config.seed)
        self._work, self._growth = Work(config, evaluator.prices), Growth(config, bounds)
        self._prospects = Prospects(config, bounds, evaluator)
        self._known: dict[str, Prospect | None] = {}
        self._learned: deque[Record] = deque(maxlen=LEARNED)
        self._seen = Keys()
        self._read = 0

    def propose(self, records: Sequence[Record], pending: Sequence[Candidate] = ()) -> tuple[Candidate, Origin] | None:
        """The next candidate to try and where it is from, or None to leave the trial to the sampler.

        Args:
            records: of all trials so far, in their order.
            pending: being evaluated; taken to turn out as expected, so that what is proposed is worth a trial beside
                them (Ginsbourger, Le Riche and Carraro 2010 call that a Kriging believer).
        """
        for again, part in groupby(records[self._read :], key=lambda record: record.repeats):
            for record in part:
                self._take(record)
            if again:
                self._growth.renew(records[: self._read])
        if self._growth.complete < NEEDED or self._is_long(records):
            return None
        return self._best(len(records), pending, self._growth.usual)

    def _take(self, record: Record) -> None:
        self._read += 1
        self._pool.add(record)
        self._growth.add(record, self._work.add(record))
        self._seen[record.key] = record.number
        if self._prospects.tells(record):
            self._learned.append(record)

    def _is_long(self, records: Sequence[Record]) -> bool:
        """Whether the latest records were all proposed here."""
        latest = records[-IN_A_ROW[self._config.proposals] :]
        return all(record.origin in ("pool", "model") for record in latest)

    def _best(self, trial: int, pending: Sequence[Candidate], least: float) -> tuple[Candidate, Origin] | None:
        """The untried candidate of the highest expected gain for its work, if that is above `least`."""
        prospects = self._untried(trial, pending)
        if not prospects:
            return None
        front = np.vstack([self._growth.front, self._believed(pending)])
        gains = expected_gains(front, *self._prospects.losses(prospects, self._learned))
        rates = gains / np.array([self._work.of(one.candidate) for one in prospects])
        best = int(rates.argmax())
        chosen = prospects[best]
        return (chosen.candidate, "model" if chosen.clean is None else "pool") if rates[best] > least else None

    def _believed(self, pending: Sequence[Candidate]) -> Floats:
        """The losses that are expected of what is being evaluated."""
        found = [one for one in self._prospects.of(pending, trained=False) if one is not None]
        return self._prospects.losses(found, self._learned)[0] if found else self._growth.front[:0]

    def _untried(self, trial: int, pending: Sequence[Candidate]) -> list[Prospect]:
        """Candidates of known members, and others where those are wanted."""
        busy = {one.key() for one in pending}
        pool = {key: one for key, one in self._pool.candidates.items() if key not in self._seen and key not in busy}
        new = [key for key in pool if key not in self._known]
        self._known |= dict(zip(new, self._prospects.of([pool[key] for key in new], trained=True), strict=True))
        self._known = {key: self._known[key] for key in pool}
        found = [*self._known.values()]
        if self._config.proposals == "model":
            drawn = fresh(self._config.space, self._growth.members, self._config.seed, trial + len(pending))
            others = {
                key: one
                for one in drawn
                if (key := one.key()) not in self._seen and key not in busy and key not in pool
            }
            for trained in (True, False):
                part = [one for one in others.values() if (self._work.missing(one) == 0) == trained]
                found += self._prospects.of(part, trained=trained)
        return [one for one in found if one is not None]
