"""The flat encoding: every candidate is one point, every point is a candidate, neighbours cost alike."""

from itertools import product

import optuna
import pytest
from designs import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from space import PRESETS, Candidate, Flat, SearchSpace, UserError, read_precision
from space.flat import bits

TOKENS = ["fp", "pact2", "pact4", "xnor", "mbn3x1", "fp~w50", "pact4/xnor"]
SMALL = SearchSpace(
    input_bits=(2, 8),
    precisions=("fp", "xnor", "mbn3x1", "pact4"),
    members=(1, 2, 3),
    full_precision=(0, 1, 2),
    votes=("mean", "majority"),
    mu=(0, 255),
    mapped_layers=(1, 2),
    widths=(0.5, 1),
)


def some(values, most):
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


@st.composite
def spaces(draw):
    """Spaces of any axes, those that contradict each other left out."""
    axes = {
        "input_bits": draw(some([1, 4, 8], 2)),
        "precisions": draw(some(TOKENS, 4)),
        "members": draw(some([1, 2, 3, 4], 3)),
        "full_precision": draw(some([0, 1, 2], 2)),
        "votes": draw(some(["mean", "majority"], 2)),
        "mu": draw(some([0, 15, 255], 3)),
        "mapped_layers": draw(some([1, 3, 5], 2)),
    }
    try:
        return SearchSpace.from_json(axes)
    except UserError:
        return draw(st.just(SMALL))


def asked(flat, point):
    """What the encoding makes of a point, through Optuna; every dimension is asked for, and nothing else."""
    trial = optuna.trial.FixedTrial(point)
    candidate = flat.sample(trial)
    assert trial.params == point
    assert {name: (one.low, one.high) for name, one in trial.distributions.items()} == flat.dimensions
    return candidate


@settings(max_examples=40)
@given(spaces())
def test_parameters_lead_back_to_every_candidate_of_a_small_space(space):
    flat = Flat(space)
    points = set()
    for candidate in list(space.enumerate())[:300]:
        point = flat.params(candidate)
        assert flat.candidate(point) == candidate
        points.add(tuple(point.values()))
    assert asked(flat, point) == candidate
    assert len(points) == min(300, space.size)


def test_every_point_stands_for_a_candidate_and_every_candidate_is_reached():
    flat, found = Flat(SMALL), set()
    ranges = [range(low, high + 1) for low, high in flat.dimensions.values()]
    for numbers in product(*ranges):
        candidate = flat.candidate(dict(zip(flat.dimensions, numbers, strict=True)))
        canonical = flat.params(candidate)  # which refuses what is outside the space
        assert flat.candidate(canonical) == candidate == candidate.canonical()
        found.add(candidate.key())
    assert found == {candidate.key() for candidate in SMALL.enumerate()}


@given(spaces(), st.randoms(use_true_random=False))
def test_any_point_of_any_space_is_inside(space, rng):
    flat = Flat(space)
    point = {name: rng.randint(*ends) for name, ends in flat.dimensions.items()}
    assert space.contains(flat.candidate(point))


def test_what_does_not_matter_has_one_value():
    flat = Flat(SMALL)
    one = flat.params(Candidate.parse("xnor:x0.5"))
    assert one == {
        "input_bits": 1,
        "member_1": 1,
        "member_2": 0,
        "member_3": 0,
        "vote": 0,
        "mapped_layers": 0,
        "mu": 0,
        "recipe": 0,
        "width": 0,
    }
    assert flat.candidate(one | {"vote": 1}) == flat.candidate(one)
    three = flat.params(Candidate.parse("in2:xnor+fp+mbn3x1:majority:mu255@2"))
    assert list(three.values()) == [0, 4, 2, 1, SMALL.votes.index("majority"), 2, 0, 0, 1]
    shuffled = three | {"member_1": 1, "member_2": 4, "member_3": 2}
    assert flat.candidate(shuffled) == flat.candidate(three)


@pytest.mark.parametrize(
    ("slots", "group"),
    [
        ((4, 4, 4), "fp+fp+xnor"),  # three in full precision there may not be: the cheapest stands for the third
        ((4, 4, 2), "fp+fp+mbn3x1"),
        ((0, 1, 2), "mbn3x1+xnor"),
        ((1, 0, 0), "xnor"),
    ],
)
def test_an_impossible_group_stands_for_one_near_it(slots, group):
    flat = Flat(SMALL)
    point = flat.params(Candidate.parse("xnor")) | {f"member_{i}": slot for i, slot in enumerate(slots, 1)}
    found = sorted(str(one.precision) for one in flat.candidate(point).members)
    assert "+".join(found) == group


def test_precisions_are_in_the_order_of_their_bit_operations():
    ordered = sorted(map(read_precision, TOKENS), key=bits)
    assert [str(one) for one in ordered] == ["xnor", "mbn3x1", "pact2", "pact4/xnor", "pact4", "fp~w50", "fp"]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_few_dimensions_and_no_more_points_than_need_be(name):
    space = SearchSpace.preset(name)
    dimensions = Flat(space).dimensions
    free = {name for name, (low, high) in dimensions.items() if low < high}
    assert "mu" not in free  # one strength: whether it is mapped is whether any layer is
    assert len(free) <= 5 + max(space.members)


def test_a_stranger_is_refused():
    refused(lambda: Flat(SMALL).params(Candidate.parse("bnn")), "candidate outside the search space: got 'bnn'")
