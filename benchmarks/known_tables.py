"""Recorded tables, and the hypervolume that can be reached on them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from evaluators.verdict import worst
from studies.fronts.bounds import Bounds
from studies.fronts.hypervolume import hypervolume
from studies.replay import Table
from studies.terms import USUAL

OBJECTIVES = ("acc", "pgd", "bops")
TABLES = Path(__file__).parent / "table"


@dataclass(frozen=True)
class Known:
    """A table, and what can be reached on it.

    Attributes:
        table, bounds: it, and the bounds of its costs.
        best: its hypervolume, for each of its seeds.
    """

    table: Table
    bounds: Bounds
    best: tuple[float, ...]


@cache
def known(name: str) -> Known:
    """A table by its name, or the path of its file."""
    table = Table.load(TABLES / f"{name}.json.gz" if "/" not in name else Path(name))
    bops = [costs["bops"] for costs in table.costs.values()]
    bounds = Bounds({"bops": (min(bops), max(bops))})
    volumes = []
    for seed, rows in enumerate(table.rows):
        points = [values_of(table, seed, text) for text in rows if trusted(table, seed, text)]
        volumes.append(volume_of(bounds, points))
    return Known(table, bounds, tuple(volumes))


def values_of(table: Table, seed: int, text: str) -> list[float]:
    """What a candidate is worth in OBJECTIVES."""
    found = {name: one.value for name, one in table.rows[seed][text].measured()}
    return [found["acc"], found["pgd"], table.costs[text]["bops"]]


def trusted(table: Table, seed: int, text: str) -> bool:
    """Whether its robust accuracy may be on a front; for every contestant alike."""
    return USUAL.trusts(worst(table.rows[seed][text].flags))


def volume_of(bounds: Bounds, points: list[list[float]]) -> float:
    """Hypervolume of candidates by their values of OBJECTIVES, within the bounds of their costs."""
    values = np.array(points).reshape(len(points), len(OBJECTIVES))
    return hypervolume(bounds.normalise(values, OBJECTIVES), np.ones(len(OBJECTIVES)))
