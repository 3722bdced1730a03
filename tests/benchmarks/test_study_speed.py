"""The contest against the yardstick: curves, ratios, and one small contest from end to end."""

import argparse
from itertools import pairwise

import pytest
from study_speed import (
    JUDGED_BY,
    RUNS,
    SPACE,
    Trial,
    compared,
    contest,
    distinct,
    quotient,
    rate,
    seconds_to,
    typical,
    volumes,
)

from space import load_space
from studies import Bounds

BOUNDS = Bounds({"bops": (2.0**10, 2.0**14)})


def trial(second: float, acc: float, robust: float, bops: float) -> Trial:
    return Trial(candidate="fp", values=(acc, robust, bops), wall=second, processor=second / 2)


TRIALS = [trial(1, 0.5, 0.5, 2.0**12), trial(2, 0.4, 0.4, 2.0**13), trial(4, 0.75, 0.25, 2.0**12)]


def test_hypervolume_is_that_of_the_boxes():
    """The first point spans ½·½·½; the second is dominated; the third adds ¼·¼·½ beside the first."""
    assert volumes(TRIALS, BOUNDS) == pytest.approx([1 / 8, 1 / 8, 1 / 8 + 1 / 32])


def test_a_level_is_reached_when_a_curve_first_has_it():
    curve = volumes(TRIALS, BOUNDS)
    assert seconds_to(curve[0], TRIALS, curve, "wall") == 1
    assert seconds_to(curve[-1], TRIALS, curve, "wall") == 4
    assert seconds_to(curve[-1], TRIALS, curve, "processor") == 2
    assert seconds_to(curve[-1] + 1e-6, TRIALS, curve, "wall") is None


def test_rates_and_ratios():
    assert rate(TRIALS, 2, "wall") == 3600
    assert quotient(10.0, 2.5) == 4 and quotient(10.0, None) is None
    assert typical([2.0, 8.0]) == pytest.approx(4) and typical([2.0, None]) is None


def test_who_is_twice_as_fast_is_told_so():
    fast = [trial(one.wall / 2, *one.values) for one in TRIALS]
    runs = {"plain": TRIALS, "ours": fast, "ours, worst case": TRIALS}
    curves = {name: volumes(trials, BOUNDS) for name, trials in runs.items()}
    for name, ratio in {"ours": 2, "ours, worst case": 1}.items():
        rows = compared(name, runs, curves, 3)
        assert [row["clock"] for row in rows] == ["wall", "processor"]
        assert all(row["ratio"] == row["ratio of candidates"] == ratio for row in rows)
    assert distinct(runs) == {"plain": 1, "ours": 1, "ours, worst case": 1}


def test_a_contest_from_end_to_end(tmp_path):
    args = argparse.Namespace(dataset="mnist5k", network="mnistconv", space=str(SPACE), epsilon=None, trials=3)
    vars(args).update(epochs=1, train_images=100, images=10, steps=2, restarts=2, runs=list(RUNS))
    result = contest(args, 0, tmp_path)
    space = load_space(str(SPACE))
    for points in result["curves"].values():
        assert len(points) >= 3
        assert all(before["wall"] <= after["wall"] for before, after in pairwise(points))
        assert all(before["hypervolume"] <= after["hypervolume"] for before, after in pairwise(points))
        for point in points:
            acc, robust, bops = point["values"]
            assert 0 <= robust <= 1 and 0 <= acc <= 1 and bops > 0
            assert point["candidate"] and len(point["values"]) == len(JUDGED_BY)
    assert len(result["curves"]["plain"]) == 3
    assert space.widths == (0.25,)
