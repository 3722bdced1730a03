"""Candidates as numbers: which of them belong together."""

import numpy as np
import pytest

from evaluators.base import Measurement
from space import Candidate, SearchSpace
from studies.fronts.bounds import Bounds
from studies.proposals.designs import Designs

SPACE = SearchSpace(
    input_bits=(1, 2, 8),
    precisions=("fp", "pact2", "xnor"),
    members=(1, 2, 3),
    votes=("mean", "majority"),
    mu=(0, 255),
    mapped_layers=(1, 2),
    recipes=("standard", "pgd"),
    widths=(0.5, 1.0),
)
DESIGNS = Designs(SPACE, Bounds({"bops": (1.0, 4.0)}), ("acc", "bops"))
PLAIN = "in2:fp+xnor:majority"


def vector(text, bops=2.0):
    return DESIGNS.of(Candidate.parse(text), {"bops": Measurement(value=bops, unit="bit-ops")})


def test_every_number_belongs_to_one_group():
    places = [place for group in DESIGNS.groups for place in group]
    assert places == [*range(len(vector(PLAIN)))]


@pytest.mark.parametrize(
    ("other", "bops", "group"),
    [
        ("in1:fp+xnor:majority", 2.0, 0),
        ("in2:fp+xnor:majority:x0.5", 2.0, 1),
        ("in2:fp+fp+xnor+xnor:majority", 2.0, 2),
        ("in2:fp+xnor", 2.0, 3),
        ("in2:fp+xnor:majority:mu255@2", 2.0, 4),
        ("in2:fp+xnor:majority:pgd", 2.0, 5),
        ("in2:fp+pact2:majority", 2.0, 6),
        (PLAIN, 4.0, 7),
    ],
)
def test_what_differs_is_in_one_group(other, bops, group):
    differs = np.flatnonzero(vector(other, bops) != vector(PLAIN))
    assert {*differs} <= {*DESIGNS.groups[group]}
    assert len(differs)
