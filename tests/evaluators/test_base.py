"""Measurements, protocols, budgets and objectives: plain values, checked where a person fills them in."""

import json
import math
from dataclasses import FrozenInstanceError, fields, replace
from statistics import NormalDist
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import THREATS, Budget, Measurement, Protocol, check_range
from evaluators.objectives import OBJECTIVES, Stage, find_objective, find_objectives
from space import UnknownName, UserError

GIVEN = {"dataset": "mnist5k", "checksum": "00", "network": "fcn2", "epsilon": 0.1}

shares = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares)
def test_a_share_carries_its_binomial_error(share):
    hits, n = share
    one = Measurement.fraction(hits, n, seconds=1.5)
    assert (one.value, one.unit, one.n, one.seconds) == (hits / n, "fraction", n, 1.5)
    variance = (hits * (1 - hits / n) ** 2 + (n - hits) * (hits / n) ** 2) / n  # of n draws of 0 and 1
    assert one.stderr == pytest.approx(math.sqrt(variance / n), abs=1e-12)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_several_runs_have_the_error_of_the_shares_of_their_images(successes):
    """The variance over images of how often each of them stood, here by numpy."""
    own = np.array(successes) / 4
    squares = sum(count**2 for count in successes)
    one = Measurement.fraction(sum(successes), len(own), runs=4, squares=squares)
    assert (one.value, one.n) == (pytest.approx(own.mean()), len(own))
    assert one.stderr == pytest.approx(own.std() / math.sqrt(len(own)), abs=1e-9)


@given(shares, st.floats(0.5, 5))
def test_an_interval_ends_where_what_was_seen_is_as_unlikely_as_it_may_be(share, wider):
    """Wilson (1927): the value is 1.96 errors of either end away from it, on as many images as have its own error."""
    hits, n = share
    plain = Measurement.fraction(hits, n)
    low, high = replace(plain, stderr=wider * plain.stderr).interval
    images = n / max(1.0, wider) ** 2 if 0 < hits < n else n
    deviations = NormalDist().inv_cdf(0.975)
    assert (low == 0, high == 1) == (hits == 0, hits == n)
    assert low <= plain.value <= high
    for edge in {low, high} - {plain.value}:
        assert (plain.value - edge) ** 2 * images == pytest.approx(deviations**2 * edge * (1 - edge))


@pytest.mark.parametrize(("unit", "n"), [("bit-ops", 25), ("fraction", 0)])
def test_what_no_images_were_counted_for_has_no_interval(unit, n):
    assert Measurement(value=0.5, unit=unit, stderr=0.1, n=n).interval == (0.5, 0.5)


def test_what_is_exact_has_no_error():
    assert Measurement(value=3.0, unit="bytes") == Measurement(
        value=3.0, unit="bytes", stderr=0.0, n=0, seconds=0.0, flags=()
    )
    assert Measurement.fraction(0, 10).stderr == Measurement.fraction(10, 10).stderr == 0


@given(shares, st.floats(0, 1e6), st.lists(st.text(max_size=5), max_size=3))
def test_measurements_survive_json(share, seconds, flags):
    value, n = share[0] / share[1], share[1]
    one = Measurement(value=value, unit="fraction", stderr=0.1, n=n, seconds=seconds, flags=tuple(flags))
    assert Measurement.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_measurements_of_older_files_had_no_flags():
    assert Measurement.from_json({"value": 1.0, "unit": "bytes"}).flags == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("value", "0.5"),
        ("value", True),
        ("value", float("nan")),
        ("value", 1.5),
        ("value", -0.5),
        ("value", 10**400),
        ("stderr", []),
        ("stderr", -0.1),
        ("n", 2.5),
        ("n", -1),
        ("seconds", float("inf")),
        ("unit", 3),
        ("flags", [1]),
        ("flags", None),
    ],
)
def test_what_no_measurement_has_is_not_read(name, value):
    sound = Measurement(value=0.5, unit="fraction", stderr=0.1, n=25, seconds=1.0, flags=("few",)).to_json()
    assert Measurement.from_json(sound).n == 25
    with pytest.raises((TypeError, ValueError)):
        Measurement.from_json(sound | {name: value})


@pytest.mark.parametrize("value", [Measurement(value=1.0, unit="bytes"), Protocol(**GIVEN), Budget()])
def test_values_are_frozen(value):
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, 2)


def refusal(make: object, **wrong: object) -> str:
    with pytest.raises(UserError) as raised:
        make(**wrong)
    return str(raised.value)


@pytest.mark.parametrize("epsilon", [-0.001, 1.001, float("nan"), float("inf"), "0.1", True])
def test_a_radius_is_a_share_of_the_pixel_range(epsilon):
    text = refusal(Protocol, **GIVEN | {"epsilon": epsilon})
    assert text.startswith("epsilon out of range: got ")
    assert text.endswith("expected 0 to 1; hint: pixels are in [0, 1]: write 8/255 for 8 grey levels")


@pytest.mark.parametrize("epsilon", [0, 0.0, 1, 1.0, 8 / 255])
def test_the_ends_of_the_range_are_radii(epsilon):
    assert Protocol(**GIVEN | {"epsilon": epsilon}).epsilon == epsilon


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5])
def test_seeds_are_whole_numbers_of_31_bits(seed):
    assert refusal(Protocol, **GIVEN, seed=seed).startswith(f"seed out of range: got {seed}; expected 0 to 2147483647")
    assert Protocol(**GIVEN, seed=2**31 - 1).seed == 2**31 - 1


def test_threat_models_are_named():
    text = (
        "unknown threat model: got 'discretized'; expected one of discretised, raw; hint: did you mean 'discretised'?"
    )
    assert refusal(Protocol, **GIVEN, threat="discretized") == text
    assert [Protocol(**GIVEN, threat=threat).threat for threat in THREATS] == ["raw", "discretised"]
    assert Protocol(**GIVEN).threat == "raw"


@pytest.mark.parametrize(
    ("field", "what", "low", "high"),
    [
        ("epochs", "epochs", 1, 10_000),
        ("train_images", "train images", 0, 10**9),
        ("images", "attacked images", 1, 10**9),
        ("steps", "attack steps", 0, 100_000),
        ("restarts", "attack restarts", 1, 1_000),
    ],
)
def test_budgets_are_whole_numbers_in_range(field, what, low, high):
    for fine in (low, high):
        assert getattr(Budget(**{field: fine}), field) == fine
    for wrong in (low - 1, high + 1, low + 0.5, float(low), float("nan"), True, "3"):
        assert refusal(Budget, **{field: wrong}).startswith(f"{what} out of range: got ")


def test_a_training_has_two_images_or_all():
    with pytest.raises(UserError, match="train images: got 1; expected at least 2, or 0 for all"):
        Budget(train_images=1)
    assert (Budget(train_images=2).train_images, Budget(train_images=0).train_images) == (2, 0)


def test_every_field_of_a_budget_is_checked():
    checked = {"epochs", "train_images", "images", "steps", "restarts"}
    assert {field.name for field in fields(Budget)} == checked


@given(st.floats(allow_nan=True), st.floats(-10, 10), st.floats(-10, 10))
def test_ranges_are_closed(value, low, high):
    if low <= value <= high:
        check_range("it", value, low, high)
    else:
        assert refusal(lambda: check_range("it", value, low, high)).startswith("it out of range")


def test_a_refusal_says_what_would_have_been_right():
    whole = refusal(lambda: check_range("it", 0, 1, 2_500_000, "count again"))
    assert whole == "it out of range: got 0; expected 1 to 2500000, a whole number; hint: count again"
    assert refusal(lambda: check_range("it", 2.0, 0.0, 1.0)) == "it out of range: got 2.0; expected 0 to 1"


def test_objectives_come_from_cheap_to_dear_each_under_its_name():
    attacks = ["fgsm", "rfgsm", "uniform", "gaussian", "bim", "mim", "transfer", "pgd_naive", "certified", "pgd", "cw"]
    costs = [name for name, objective in OBJECTIVES.items() if objective.stage == "cost"]
    assert costs[:2] == ["bops", "memory"]
    assert list(OBJECTIVES) == [*costs, "acc", *attacks]
    assert all(name == objective.name for name, objective in OBJECTIVES.items())
    stages = [get_args(Stage).index(objective.stage) for objective in OBJECTIVES.values()]
    assert stages == sorted(stages)
    assert set(stages) == {0, 1, 2}


def test_shares_are_maximised_and_costs_minimised():
    for objective in OBJECTIVES.values():
        assert objective.maximize == (objective.unit == "fraction") == (objective.stage != "cost")
        assert objective.direction == ("maximize" if objective.maximize else "minimize")
    assert len({objective.label for objective in OBJECTIVES.values()}) == len(OBJECTIVES)


def test_objectives_are_found_in_the_order_asked_or_named_by_the_nearest():
    assert [objective.name for objective in find_objectives(("pgd", "bops", "pgd"))] == ["pgd", "bops", "pgd"]
    assert find_objective("acc") is OBJECTIVES["acc"]
    with pytest.raises(UnknownName, match=r"unknown objective: got 'memry'; .*; hint: did you mean 'memory'\?"):
        find_objectives(("acc", "memry"))
