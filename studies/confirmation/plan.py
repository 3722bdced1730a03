"""What a confirmation is to do: who is trained again, for how long, and by which seeds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from evaluators.base import Budget, Protocol, check_range
from evaluators.seeds import number
from space.errors import UserError
from studies.papers.catalogue import TABLES
from studies.records import Record, feasible_records
from studies.study import Study
from studies.terms import Terms

LONGER = 10
"""How many times the search's epochs are the full budget where no paper trains the network."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a confirmation is to do.

    Attributes:
        records: of the front and near it, by number.
        front: numbers of those on the front.
        sure: probability of being on the front, by number.
        objectives, terms, protocol: of the study.
        budget: of every training.
        verification: how hard test images are attacked, by setting.
        near: from which probability records off the front were taken in.
        seeds: by which every candidate is trained.
        code: digest of what trains members: results of other code are not taken for those of this one.
    """

    records: tuple[Record, ...]
    front: frozenset[int]
    sure: Mapping[int, float]
    objectives: tuple[str, ...]
    terms: Terms
    protocol: Protocol
    budget: Budget
    verification: Mapping[str, Any]
    near: float
    seeds: tuple[int, ...]
    code: str = ""

    @property
    def pairs(self) -> Iterator[tuple[Record, int]]:
        """Every training to make: all candidates by the first seed, then by the next."""
        return ((record, seed) for seed in self.seeds for record in self.records)

    def address(self, record: Record, seed: int) -> str:
        """Names the result of a candidate and a seed; another budget or effort has other names."""
        settings = [asdict(self.protocol), asdict(self.budget), dict(self.verification), self.objectives, self.code]
        content = json.dumps([record.key, seed, settings], sort_keys=True)
        return sha256(content.encode()).hexdigest()[:16]


def full_epochs(network: str, epochs: int) -> int:
    """Epochs of the full budget: the longest that a paper trains the network, else LONGER times the search's.

    >>> full_epochs("resnet20", 4), full_epochs("fcn2", 4)
    (200, 40)
    """
    published = [table.epochs for table in TABLES.values() if table.network == network]
    return max(epochs, *published) if published else LONGER * epochs


def fresh_seeds(seed: int, count: int) -> tuple[int, ...]:
    """Seeds that the search never used, always the same for the same study.

    Args:
        seed: of the study's protocol.
        count: how many, >= 1.
    """
    check_range("seeds", count, 1, 1_000)
    found = (number(seed, "confirmed", str(run)) % 2**31 for run in range(1, count + 2))
    return tuple([one for one in found if one != seed][:count])


def near_front(study: Study, near: float) -> tuple[Record, ...]:
    """The records of a study's front, and those that are there with a probability of at least `near`; by number."""
    check_range("--near", near, 0.0, 1.0, "a probability of being on the front")
    members, sure = {one.number for one in study.front()}, study.front_probability()
    feasible = feasible_records(study.records(), study.config.terms)
    return tuple(one for one in feasible if one.number in members or sure.get(one.number, 0.0) >= near)


def make_plan(
    study: Study, budget: Budget, verification: Mapping[str, Any], *, near: float, seeds: int, code: str = ""
) -> Plan:
    """Say what a confirmation is to do.

    Args:
        study: with a front.
        budget: of every training.
        verification: how hard test images are attacked, by setting.
        near: see NEAR; 0 to 1.
        seeds: how many trainings of each candidate.
        code: digest of what trains members.
    Raises: UserError where there is no front, and for what is out of range.
    """
    config, records = study.config, near_front(study, near)
    if not records:
        hint = "trials.csv says why; run goes on with the study"
        raise UserError("no front to confirm", got=str(study.folder), hint=hint)
    return Plan(
        records=records,
        front=frozenset(one.number for one in study.front()),
        sure=study.front_probability(),
        objectives=config.objectives,
        terms=config.terms,
        protocol=config.protocol,
        budget=budget,
        verification=verification,
        near=near,
        seeds=fresh_seeds(config.protocol.seed, seeds),
        code=code,
    )
