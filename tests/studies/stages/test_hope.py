"""Whether a trial can still reach the front: the best it can become against the records there."""

import math

import numpy as np
import pytest
from closed_form import config, measurement
from hypothesis import given
from hypothesis import strategies as st

from evaluators.objectives import BOUND
from studies.fronts.bounds import Bounds
from studies.fronts.hypervolume import hypervolume
from studies.records import Record, values_of
from studies.stages.hope import OTHER_IMAGES, Hope, at_most, best_case

OBJECTIVES = ("acc", "pgd", "bops")
BOUNDS = Bounds({"bops": (1e6, 1e8)})


def known(**values):
    found = {name.replace("bound", BOUND): value for name, value in values.items()}
    return {
        name: measurement(
            "pgd" if name == BOUND else name, value, **({} if name == "bops" else {"stderr": 0.02, "n": 256})
        )
        for name, value in found.items()
    }


def record(number, **values):
    return Record(number=number, candidate="fp", key=str(number), state="complete", measurements=known(**values))


def hope(*members, margin=0.0):
    return Hope(config(full=False, margin=margin), BOUNDS, lambda: members)


FRONT = (record(3, acc=0.9, pgd=0.5, bops=1e7), record(7, acc=0.95, pgd=0.3, bops=3e7))


def test_nothing_is_lost_before_anything_is_known_or_without_a_front():
    assert hope(*FRONT).lost({}) == ""
    assert hope(*FRONT).lost(known(bops=9e7)) == ""
    assert hope().lost(known(bops=9e7, acc=0.1)) == ""


def test_what_is_behind_whatever_comes_is_lost_and_the_reason_names_who_beats_it():
    assert hope(*FRONT).lost(known(bops=2e7, acc=0.4)) == "at its best still behind #3"
    assert hope(*FRONT).lost(known(bops=4e7, acc=0.92, bound=0.2)) == "at its best still behind #7"


@pytest.mark.parametrize(
    "values",
    [
        {"bops": 9e6, "acc": 0.4},  # cheaper than all
        {"bops": 2e7, "acc": 0.91},
        {"bops": 2e7, "acc": 0.85, "bound": 0.51},
        {"bops": 1e7, "acc": 0.9, "bound": 0.5},  # equals what is there
    ],
)
def test_what_may_still_be_ahead_somewhere_goes_on(values):
    assert hope(*FRONT).lost(known(**values)) == ""


def test_with_a_margin_what_would_hardly_enlarge_the_front_is_lost():
    near = known(bops=2.9e7, acc=0.94, bound=0.5)
    loss, others = (
        BOUNDS.normalise(values, OBJECTIVES)
        for values in (values_of([little(near)], OBJECTIVES), values_of(FRONT, OBJECTIVES))
    )
    before, after = (hypervolume(points, np.ones(3)) for points in (others, np.vstack([others, loss])))
    share = after / before - 1
    assert 0.001 < share < 0.1
    assert hope(*FRONT, margin=share * 0.99).lost(near) == ""
    assert hope(*FRONT, margin=share * 1.01).lost(near) == f"at its best {share:.2%} more hypervolume"
    assert hope(*FRONT).lost(near) == ""


def little(values):
    return Record(number=9, candidate="fp", key="9", state="complete", measurements=values | {"pgd": values[BOUND]})


@pytest.mark.parametrize("values", [{"bops": 9.9e6, "acc": 0.1}, {"bops": 9e7, "acc": 0.951, "bound": 0.0}])
def test_with_a_margin_what_may_be_best_at_something_goes_on(values):
    assert hope(*FRONT, margin=0.1).lost(known(**values)) == ""


def test_with_a_margin_it_matters_who_is_best_at_something_and_not_who_is_worst():
    best, worst = known(bops=2.9e7, acc=0.951, bound=0.31), known(bops=3.1e7, acc=0.94, bound=0.45)
    assert hope(*FRONT, margin=0.1).lost(best) == ""
    assert hope(*FRONT, margin=0.1).lost(worst).endswith("more hypervolume")


def test_with_a_margin_a_front_without_any_volume_stops_nothing_but_what_it_beats():
    """Of networks none of which withstands anything; or at the dearest end of the space."""
    flat = (record(3, acc=0.9, pgd=0.0, bops=1e7), record(7, acc=0.95, pgd=0.0, bops=3e7))
    assert hope(*flat, margin=0.1).lost(known(bops=2e7, acc=0.92, bound=0.0)) == ""
    assert hope(*flat, margin=0.1).lost(known(bops=2e7, acc=0.9, bound=0.0)) == "at its best still behind #3"


def test_accuracy_under_attack_is_at_most_what_stands_and_that_at_most_the_clean_one():
    assert at_most(known(acc=0.9), "pgd") == "acc"
    assert at_most(known(acc=0.9, bound=0.5), "pgd") == BOUND
    assert at_most(known(acc=0.9, bound=0.5, pgd=0.4), "pgd") == "pgd"
    assert at_most(known(bops=1e6), "pgd") is None
    assert at_most(known(acc=0.9), "fgsm") == "acc"


def test_the_best_case_by_hand():
    found = best_case(known(acc=0.9, bound=0.5, bops=2e6), OBJECTIVES, 256)
    assert found == pytest.approx([0.9, 0.5, 2e6])


def test_fewer_attacked_images_leave_more_room_below_the_clean_accuracy():
    """64 of 256 images: their own clean accuracy has twice the error."""
    few, all_ = (best_case(known(acc=0.7, bops=2e6), OBJECTIVES, images)[1] for images in (64, 0))
    assert few == pytest.approx(0.7 + OTHER_IMAGES * 0.02 * math.sqrt(256 / 64))
    assert all_ == pytest.approx(0.7)


fractions = st.floats(0, 1)


@given(acc=fractions, naive=fractions, pgd=fractions, bops=st.floats(1e6, 1e8))
def test_whatever_is_lost_would_not_have_been_on_the_front(acc, naive, pgd, bops):
    """Robust accuracy below every bound: the record that a stopped trial would have become is dominated."""
    naive, pgd = sorted((min(acc, naive), min(acc, naive, pgd)), reverse=True)
    ended = hope(*FRONT).lost(known(acc=acc, bound=naive, bops=bops))
    values = [
        (one.measurements["acc"].value, one.measurements["pgd"].value, one.measurements["bops"].value) for one in FRONT
    ]
    dominated = any(a >= acc and p >= pgd and b <= bops and (a, p, b) != (acc, pgd, bops) for a, p, b in values)
    assert dominated or not ended
