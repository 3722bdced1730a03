"""Candidates of a space that consist of members which a study has trained already."""

import random
from collections.abc import Iterator

from evaluators.objectives import OBJECTIVES
from evaluators.seeds import number
from space.candidate import Candidate, Member, MuLaw, Vote
from space.space import SearchSpace
from studies.keys import Keys
from studies.records import Record

DRAWN = 80
"""Candidates that are drawn when a record brings new members."""

MOST = 1000
"""Candidates in the pool; beyond them, a new one takes the place of another by chance."""

Place = tuple[int, str, float]
"""Input bits, recipe and width: what all members of a candidate share."""


class Pool:
    """Candidates of known members; what is in it follows from the seed and the records, in their order.

    A record that trained new members brings DRAWN random candidates, each of one of them and others from the same
    place, under any vote and mapping of the space.

    Attributes:
        candidates: by key; canonical, at most MOST, tried ones included.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space, self._seed, self._groups = space, seed, space.groups
        self._members: dict[Place, list[Member]] = {}
        self._drawn = Keys()
        self.candidates: dict[str, Candidate] = {}

    def add(self, record: Record) -> None:
        """Take in the members that a record trained, and draw candidates of them."""
        if not is_trained(record):
            return
        candidate = Candidate.parse(record.candidate)
        place = candidate.input_bits, candidate.recipe, candidate.width
        known = self._members.setdefault(place, [])
        fresh = [member for member in candidate.members if member not in known]
        known += fresh
        rng = random.Random(number(self._seed, "pool", str(record.number)))
        for one in self._draw(place, fresh, rng) if fresh else ():
            self._keep(one, rng)

    def _draw(self, place: Place, fresh: list[Member], rng: random.Random) -> Iterator[Candidate]:
        input_bits, recipe, width = place
        for _ in range(DRAWN):
            members = self._group(self._members[place], rng.choice(fresh), rng)
            if members is None:
                continue
            candidate = Candidate(
                input_bits=input_bits,
                members=members,
                vote=self._vote(rng) if len(members) > 1 else None,
                mapping=self._mapping(rng),
                recipe=recipe,
                width=width,
            ).canonical()
            if set(candidate.members) <= set(self._members[place]):
                yield candidate

    def _group(self, known: list[Member], wanted: Member, rng: random.Random) -> tuple[Member, ...] | None:
        """A group of known members that the space allows and that holds the wanted one; None if chance finds none."""
        size = rng.choice(self._space.members)
        if size == 1:
            return (wanted,)
        full = rng.choice(self._groups.full_counts(size))
        kinds = [one for one in known if one.precision.float], [one for one in known if not one.precision.float]
        if any(len(kind) < count for kind, count in zip(kinds, (full, size - full), strict=True)):
            return None
        groups = rng.sample(kinds[0], full), rng.sample(kinds[1], size - full)
        mine = groups[0] if wanted.precision.float else groups[1]
        if not mine:
            return None
        if wanted not in mine:
            mine[0] = wanted
        return (*groups[0], *groups[1])

    def _vote(self, rng: random.Random) -> Vote:
        return rng.choice(self._space.votes)

    def _mapping(self, rng: random.Random) -> MuLaw | None:
        mu = rng.choice(self._space.mu)
        return MuLaw(mu, rng.choice(self._space.mapped_layers)) if mu else None

    def _keep(self, candidate: Candidate, rng: random.Random) -> None:
        """Add a candidate that was not drawn before; each of all that ever were is as likely to be here."""
        key = candidate.key()
        if key in self._drawn:
            return
        self._drawn[key] = 0
        if len(self.candidates) >= MOST:
            if rng.randrange(len(self._drawn)) >= MOST:
                return
            del self.candidates[rng.choice([*self.candidates])]
        self.candidates[key] = candidate


def is_trained(record: Record) -> bool:
    """Whether the members of a record were trained to the end: an objective beyond costs was measured."""
    return any(name in OBJECTIVES and OBJECTIVES[name].stage != "cost" for name in record.measurements)
