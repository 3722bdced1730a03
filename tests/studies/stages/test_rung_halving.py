"""Who goes on from a rung: fronts, spread within a front, and the share of all that came so far."""

import copy
import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from closed_form import Arithmetic, config, measurement
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from evaluators.evaluator import Evaluator
from evaluators.objectives import rung_name, stage_of
from space.candidate import Candidate
from space.errors import UnknownName
from studies.records import Record
from studies.stages import halving
from studies.stages.halving import DOUBT, LEAST, Climbs, Rungs, rank_of_last, spread

COARSE = st.integers(0, 4).map(float)
"""Few values, so that ties are common."""


def clouds(most: int = 14):
    return st.integers(1, 3).flatmap(lambda k: st.lists(st.tuples(*[COARSE] * k), min_size=1, max_size=most))


def dominates(one, other) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def fronts_of(points) -> list[int]:
    """Longest chain of points that dominate one another down to each: its front, from 0."""

    def depth(point) -> int:
        return 1 + max((depth(one) for one in points if dominates(one, point)), default=-1)

    return [depth(point) for point in points]


def distance(one, other) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


@given(clouds())
def test_a_rank_counts_all_of_better_fronts_and_some_of_its_own(points):
    fronts = fronts_of(points)
    better, own = sum(one < fronts[-1] for one in fronts), fronts.count(fronts[-1])
    assert better < rank_of_last(np.array(points)) <= better + own


@given(clouds())
def test_the_ranks_of_all_points_are_a_permutation_when_each_comes_last_in_turn(points):
    points = [*dict.fromkeys(points)]  # of equal points, the last is behind the others
    cloud = np.array(points)
    if len(np.unique(cloud[:, 0])) < len(cloud):
        return  # who begins a front is then a tie, and ties go by order
    scaled = (cloud - cloud.min(0)) / np.where(np.ptp(cloud, 0) > 0, np.ptp(cloud, 0), 1)
    gaps = sorted(distance(a, b) for i, a in enumerate(scaled) for b in scaled[:i])
    if any(np.isclose(a, b) for a, b in pairwise(gaps)):
        return
    ranks = [rank_of_last(np.array([*points[:i], *points[i + 1 :], points[i]])) for i in range(len(points))]
    assert sorted(ranks) == [*range(1, len(points) + 1)]


@given(clouds())
def test_a_spread_takes_the_farthest_every_time(points):
    order = spread(np.array(points))
    assert sorted(order) == [*range(len(points))]
    assert points[order[0]][0] == min(point[0] for point in points)
    for taken in range(1, len(order)):
        nearest = [min(distance(points[i], points[j]) for j in order[:taken]) for i in order[taken:]]
        assert nearest[0] == pytest.approx(max(nearest))


def test_by_hand():
    line = [[0.0, 8.0], [1.0, 7.0], [4.0, 4.0], [8.0, 0.0]]  # a front: both ends, the middle, then what is left
    assert [spread(np.array(line)), rank_of_last(np.array([*line[:1], *line[2:], line[1]]))] == [[0, 3, 2, 1], 4]
    assert rank_of_last(np.array([*line, [5.0, 5.0]])) == 5
    assert rank_of_last(np.array([*line, [0.0, 0.0]])) == 1
    assert rank_of_last(np.array([[3.0], [1.0], [2.0]])) == 2
    assert spread(np.empty((0, 2))) == []
    # over ranges of 1 and 10, the last is 0.50 from the first, and (0.6, 1) 0.41 from (1, 0); else 0.7 and 1.1
    assert rank_of_last(np.array([[0.0, 10.0], [0.6, 1.0], [1.0, 0.0], [0.5, 9.5]])) == 3


def record(number: int, accuracy: float, bops: float, rung: int = 1, **changes: object) -> Record:
    measured = {"bops": measurement("bops", bops), rung_name(rung): fraction(accuracy)}
    fields = {"number": number, "candidate": "fp", "key": f"key {number}", "state": "vetoed", "measurements": measured}
    return Record(**(fields | changes))


def fraction(value: float, stderr: float = 0.0) -> Measurement:
    return Measurement(value=value, unit="fraction", stderr=stderr)


def ask(
    rungs: Rungs,
    records: list[Record],
    accuracy: float,
    bops: float,
    stderr: float = 0.0,
    rung: int = 1,
    text: str = "fp",
) -> str:
    measured = {"bops": measurement("bops", bops), rung_name(rung): fraction(accuracy, stderr)}
    return after(rungs, records).decide(Candidate.parse(text), rung, measured)


def after(rungs: Rungs, records: list[Record]) -> Rungs:
    """Rungs that the records came to; the ones that are given know of none."""
    known = copy.deepcopy(rungs)
    for one in records:
        known.add(one)
    return known


BOTH = config(objectives=("acc", "bops"), rungs=(1, 2))
ATTACKED = config(objectives=("acc", "pgd", "bops"), rungs=(1, 2))
LADDER = [record(i, accuracy=0.1 * i, bops=1e6) for i in range(9)]
"""Nine of one price, the later the better."""


def test_the_better_half_goes_on():
    said = [ask(Rungs(BOTH), LADDER, 0.1 * i + 0.05, 1e6) for i in range(-1, 9)]
    assert [bool(reason) for reason in said] == [True] * 5 + [False] * 5
    assert said[3] == "acc@1 0.25 ranks 7 of 10, and the best 5 go on"


@pytest.mark.parametrize(("eta", "going"), [(2, 5), (3, 4), (4, 3), (10, 1)])
def test_eta_says_what_share(eta, going):
    said = [ask(Rungs(BOTH, eta=eta), LADDER, 0.1 * i + 0.05, 1e6) for i in range(-1, 9)]
    assert sum(not reason for reason in said) == going


def test_nobody_is_stopped_before_there_are_enough():
    rungs = Rungs(BOTH)
    assert not ask(rungs, LADDER[: LEAST - 2], -1.0, 1e9)
    assert ask(rungs, LADDER[: LEAST - 1], -1.0, 1e9)


def test_what_nothing_dominates_goes_on_however_many_those_are():
    front = [record(i, accuracy=0.5 + 0.04 * i, bops=1e6 * 2**i) for i in range(12)]
    rungs = Rungs(BOTH, eta=3)
    assert not any(ask(rungs, front[:i] + front[i + 1 :], 0.5 + 0.04 * i, 1e6 * 2**i) for i in range(12))
    assert ask(rungs, front, 0.5, 1.1e6)


def test_without_a_cost_among_the_objectives_accuracy_alone_counts():
    rungs = after(Rungs(config(objectives=("pgd",), rungs=(1,))), LADDER)
    said = [rungs.decide(Candidate.parse("fp"), 1, {"acc@1": fraction(0.1 * i + 0.05)}) for i in range(-1, 9)]
    assert [bool(reason) for reason in said] == [True] * 5 + [False] * 5


@pytest.mark.parametrize("one", [BOTH, ATTACKED], ids=["acc,bops", "acc,pgd,bops"])
def test_coarse_input_goes_on_where_robustness_counts(one):
    said = [bool(ask(Rungs(one), LADDER, 0.15, 1e6, text=text)) for text in ("fp", "in4:fp", "in1:xnor")]
    assert said == ([True, True, True] if one is BOTH else [True, False, False])
    coarse = [replace(record, candidate="in1:fp") for record in LADDER]
    assert ask(Rungs(one), coarse, 0.15, 1e6, text="in1:xnor")


@pytest.mark.parametrize("one", [BOTH, ATTACKED], ids=["acc,bops", "acc,pgd,bops"])
def test_recipes_are_compared_with_their_own_where_robustness_counts(one):
    hardened = [replace(record, number=20 + i, key=f"pgd {i}", candidate="fp:pgd") for i, record in enumerate(LADDER)]
    low = [replace(record, measurements=record.measurements | {"acc@1": fraction(-1.0)}) for record in hardened]
    assert bool(ask(Rungs(one), [*LADDER, *low[:5]], -0.5, 1e6, text="fp:pgd")) == (one is BOTH)
    assert ask(Rungs(one), [*LADDER, *hardened], 0.05, 1e6, text="fp:pgd")


def test_a_standard_error_is_given_in_its_favour():
    assert ask(Rungs(BOTH), LADDER, 0.35, 1e6)
    assert ask(Rungs(BOTH), LADDER, 0.35, 1e6, stderr=0.04 / DOUBT)
    assert not ask(Rungs(BOTH), LADDER, 0.35, 1e6, stderr=0.06 / DOUBT)


def test_each_rung_has_its_own_company():
    second = [record(i, accuracy=0.1 * i, bops=1e6, rung=2) for i in range(9)]
    assert ask(Rungs(BOTH), second, -0.1, 1e6, rung=2)
    assert not ask(Rungs(BOTH), second, -0.1, 1e6, rung=1)


def test_records_in_any_order_and_repeated_designs_change_nothing():
    rungs, shuffled = Rungs(BOTH), [*LADDER]
    random.Random(0).shuffle(shuffled)
    again = [replace(one, number=one.number + 50, state="duplicate") for one in LADDER[5:]]
    again += [replace(one, number=one.number + 70, state="failed") for one in LADDER[5:]]
    cheap = [Record(number=99, candidate="fp", key="cheap", state="vetoed")]  # by its cost
    for accuracy in (-0.05, 0.35, 0.45, 0.85):
        assert ask(rungs, LADDER, accuracy, 1e6) == ask(rungs, [*again, *shuffled, *cheap], accuracy, 1e6)


def test_a_design_that_came_long_ago_comes_no_second_time(monkeypatch):
    """In the order of the ends or of the numbers: a failure that was tried again while others were under way."""
    monkeypatch.setattr(halving, "COMPANY", 3)
    failed, *others = [replace(one, state="failed" if one.number == 0 else "vetoed") for one in LADDER[:4]]
    again = replace(LADDER[0], number=4)
    ends, numbers = [failed, others[0], again, *others[1:]], [failed, *others, again]
    assert after(Rungs(BOTH, least=2), ends)._arrivals == after(Rungs(BOTH, least=2), numbers)._arrivals


def test_the_evaluator_has_what_rungs_need():
    assert issubclass(Evaluator, Climbs)
    assert not issubclass(Arithmetic, Climbs)


def test_a_measurement_at_a_rung_counts_as_paid_for_and_survives_json():
    one = record(3, 0.5, 1e6)
    assert one.evaluated and Record.from_json(one.to_json()) == one
    assert [stage_of(name) for name in ("bops", "acc", "pgd", "acc@1", "acc@12")] == [
        *("cost", "clean", "attack"),
        *("clean", "clean"),
    ]
    with pytest.raises(UnknownName, match="unknown objective: got 'ac'"):
        stage_of("ac@1")
