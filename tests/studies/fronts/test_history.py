"""Hypervolume over time, in frozen bounds."""

import numpy as np
import pytest
from closed_form import Arithmetic, bops, config, measurement
from hypothesis import example, given
from hypothesis import strategies as st

from space.candidate import Candidate
from space.errors import UserError
from space.space import SearchSpace
from studies.fronts.bounds import Bounds, measure_bounds
from studies.fronts.history import hypervolume_trace
from studies.fronts.hypervolume import hypervolume
from studies.limits import Limit
from studies.records import Record, front, values_of
from studies.terms import Terms

BOUNDS = Bounds({"bops": (1e6, 1.6e7)})
OBJECTIVES = ("acc", "pgd", "bops")


def record(number, acc, pgd, cost, state="complete"):
    measured = {
        "acc": measurement("acc", acc),
        "pgd": measurement("pgd", pgd),
        "bops": measurement("bops", cost),
    }
    return Record(number=number, candidate="fp", key=str(number), state=state, measurements=measured, at=10.0 * number)


def test_losses_run_from_best_to_worst_with_costs_in_doublings():
    values = np.array([[1.0, 0.25, 1e6], [0.0, 1.0, 1.6e7], [0.5, 0.5, 4e6], [0.5, 0.5, 1e9], [0.5, 0.5, 1.0]])
    losses = [[0, 0.75, 0], [1, 0, 1], [0.5, 0.5, 0.5], [0.5, 0.5, 1], [0.5, 0.5, 0]]
    assert BOUNDS.normalise(values, OBJECTIVES) == pytest.approx(np.array(losses, dtype=float))


def test_one_price_for_all_is_no_cost():
    flat = Bounds({"bops": (1e6, 1e6)})
    assert flat.normalise(np.array([[1e6]]), ["bops"]).tolist() == [[0.0]]


def test_bounds_round_trip():
    assert Bounds.from_json(BOUNDS.to_json()) == BOUNDS


def test_a_trace_by_hand():
    records = [record(1, 0.5, 0.5, 4e6), record(2, 0.4, 0.4, 8e6), record(3, 1.0, 0.25, 4e6)]
    trace = hypervolume_trace(records, OBJECTIVES, BOUNDS)
    # 0.5^3; dominated, nothing more; a box of 1 x 0.25 x 0.5 of which half was covered
    assert trace == [
        (10.0, pytest.approx(0.125)),
        (20.0, pytest.approx(0.125)),
        (30.0, pytest.approx(0.1875)),
    ]


shares = st.floats(0, 1)


@given(st.lists(st.tuples(shares, shares, st.floats(1e6, 1.6e7)), max_size=12))
@example([(0.75, 0.9375, 9293873.0), (1.0, 2.220446049250313e-16, 15698033.0)])  # gains less than rounding loses
def test_a_trace_never_falls_and_ends_with_the_volume_of_the_front(rows):
    records = [record(i, *row) for i, row in enumerate(rows)]
    volumes = [volume for _, volume in hypervolume_trace(records, OBJECTIVES, BOUNDS)]
    assert volumes == sorted(volumes)
    losses = BOUNDS.normalise(values_of(front(records, OBJECTIVES), OBJECTIVES), OBJECTIVES)
    assert [0.0, *volumes][-1] == pytest.approx(hypervolume(losses, np.ones(3)), abs=1e-12)


def test_only_complete_records_within_the_limits_count():
    records = [record(1, 0.9, 0.9, 1e6, "failed"), record(2, 0.5, 0.9, 1e6), record(3, 0.9, 0.1, 1e6)]
    trace = hypervolume_trace(records, OBJECTIVES, BOUNDS, Terms((Limit.parse("acc>=0.6"),)))
    assert trace == [(30.0, pytest.approx(0.09))]


SMALL = SearchSpace(
    input_bits=(2, 8),
    precisions=("fp", "pact4", "pact2", "xnor"),
    members=(1, 2, 3),
    full_precision=(0, 1),
    votes=("mean", "majority"),
    mu=(0, 255),
    widths=(0.5, 1.0),
)


@pytest.mark.parametrize("changes", [{}, {"members": (2, 3), "full_precision": (1,)}, {"mu": (255,)}])
def test_the_extremes_bound_the_whole_space(changes):
    space = SearchSpace.from_json(SMALL.to_json() | {name: list(axis) for name, axis in changes.items()})
    everything = [bops(candidate) for candidate in space.enumerate()]
    assert measure_bounds(space, Arithmetic().cost).costs["bops"] == (min(everything), max(everything))


def test_other_candidates_only_widen_the_bounds():
    cheap, dear = measure_bounds(SMALL, Arithmetic().cost).costs["bops"]
    wider = measure_bounds(SMALL, Arithmetic().cost, [Candidate.parse("fp+fp+fp+fp"), Candidate.parse("pact4")])
    assert wider.costs["bops"] == (cheap, bops(Candidate.parse("fp+fp+fp+fp")))
    assert dear < wider.costs["bops"][1]


def refuse_wide(candidate, name):
    if candidate.width > 0.5:
        raise UserError("width of a network", got=candidate.width, expected="at most 0.5")


def test_candidates_that_do_not_fit_are_left_out_of_the_bounds():
    fits = [bops(candidate) for candidate in SMALL.enumerate() if candidate.width == 0.5]
    assert measure_bounds(SMALL, Arithmetic(trouble=refuse_wide).cost).costs["bops"][1] == max(fits)


def test_a_space_that_does_not_fit_at_all_says_why():
    wide = SearchSpace(precisions=("fp",), widths=(1.0, 2.0))
    with pytest.raises(UserError, match=r"width of a network: got 1.0; expected at most 0.5"):
        measure_bounds(wide, Arithmetic(trouble=refuse_wide).cost)


def test_the_default_space_is_bounded_in_no_time():
    evaluator = Arithmetic()
    asked = []
    evaluator.trouble = lambda candidate, name: asked.append(name)
    measure_bounds(config().space, evaluator.cost)
    assert len(asked) < 500
