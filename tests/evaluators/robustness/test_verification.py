"""A verification's numbers: from where, by which rules, and how far they fell."""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from evaluators import Budget, Evaluator, Measurement, open_evaluator
from evaluators.robustness.verification.binarization import Found
from evaluators.robustness.verification.settings import Verification
from evaluators.robustness.verification.verified import Fall, Verified, flags_of
from evaluators.robustness.verification.verify import Verifier, twins_of
from space import Candidate, UserError

SMALL = Verification(images=60, steps=5, restarts=1, queries=20, targets=2, binarized=6)
SPEC = "mbn3x1:x0.125:mu255@1"


@cache
def evaluator() -> Evaluator:
    return open_evaluator(
        dataset="mnist5k",
        network="fcn2",
        epsilon=0.02,
        budget=Budget(epochs=1, train_images=1000, images=50, steps=5),
        device="cpu",
        cache=Path(mkdtemp(prefix="members")),
    )


def verified(spec: str = SPEC, searched: Measurement | None = None, **settings: int) -> tuple[Verified, list[str]]:
    told: list[str] = []
    verifier = Verifier(evaluator=evaluator(), settings=replace(SMALL, **settings), tell=told.append)
    return verifier.verify(Candidate.parse(spec), searched), told


def test_accuracies_are_of_test_images_and_breaks_add_up() -> None:
    found, told = verified()
    [clean] = evaluator().judge(Candidate.parse(SPEC), [None], part="test", images=60)
    assert found.clean.value == clean.value
    assert found.certified.value <= found.worst.value <= found.naive.value <= found.clean.value
    assert sum(found.breaks.values()) == round(60 * (found.clean.value - found.worst.value))
    assert found.external is not None
    assert found.external.keys() <= found.breaks.keys()
    assert [line.partition(":")[0] for line in told[:5]] == [
        "our own attacks",
        "apgd-ce",
        "apgd-dlr",
        "apgd-t",
        "square",
    ]


def test_a_verification_can_be_repeated() -> None:
    first, second = (verified()[0].to_json() for _ in range(2))
    first.pop("seconds"), second.pop("seconds")
    assert first == second


def test_without_pyautoattack_its_part_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    everything, _ = verified()
    monkeypatch.setitem(sys.modules, "pyautoattack", None)
    found, told = verified()
    assert found.external is None
    assert found.to_json()["external"] is None
    assert found.worst.value >= everything.worst.value
    assert not any("apgd" in line for line in told)


def test_no_more_images_than_there_are_and_no_test_of_the_attack_where_none_is_wanted() -> None:
    found, _ = verified(images=10**6, steps=1, queries=1, binarized=0)
    assert found.worst.n == len(evaluator().data.test)
    assert found.binarization == ()


def test_an_ensemble_has_each_member_tested() -> None:
    found, _ = verified("fp+fp:x0.125:majority", binarized=3)
    assert len(found.binarization) == 2


@pytest.mark.parametrize(
    ("spec", "twins"),
    [
        ("bnn:x0.5", ["fp:x0.5", "fp:warm:x0.5", "fp:fastat:x0.5"]),
        ("fp", ["fp:warm", "fp:fastat"]),
        ("in2:fp+xnor:mu255@2", ["fp", "fp:warm", "fp:fastat", "in2:fp+xnor"]),
    ],
)
def test_twins_are_of_full_precision_and_its_width(spec: str, twins: list[str]) -> None:
    assert {str(one) for one in twins_of(Candidate.parse(spec))} == {str(Candidate.parse(one)) for one in twins}


def test_twins_can_be_chosen() -> None:
    assert [str(one) for one in twins_of(Candidate.parse("xnor"), ["pgd"])] == ["fp:pgd"]
    assert twins_of(Candidate.parse("xnor"), []) == []
    with pytest.raises(UserError, match="recipe of a twin"):
        Verification(twins=("warmer",))


def test_a_fall_has_the_interval_of_newcombe() -> None:
    """Table II of the paper, method 10, its first and third examples."""
    fall = Fall.between(Measurement.fraction(56, 70), Measurement.fraction(48, 80))
    assert fall.points == pytest.approx(0.2)
    assert fall.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)
    fall = Fall.between(Measurement.fraction(9, 10), Measurement.fraction(3, 10))
    assert fall.interval == pytest.approx((0.1705, 0.8090), abs=1e-4)
    assert fall.beyond_chance
    assert not Fall.between(Measurement.fraction(5, 10), Measurement.fraction(4, 10)).beyond_chance


@pytest.mark.parametrize(
    ("external", "missed", "flags"),
    [
        (None, [], ()),
        ({"apgd-ce": 3, "square": 1}, [0], ()),
        ({"apgd-ce": 3, "square": 2}, [0, 2], ("suspect:external",)),
        ({"apgd-ce": 20, "square": 0}, [0, 3], ("suspect:binarization", "masked:external")),
        ({"apgd-ce": 0}, [0, 7], ("masked:binarization",)),
    ],
)
def test_rules_of_a_verification(external: dict[str, int], missed: list[int], flags: tuple[str, ...]) -> None:
    binarization = [Found(images=128, by_attack=128 - one, by_chance=0) for one in missed]
    assert set(flags_of(external, 1000, binarization)) == set(flags)


@pytest.mark.parametrize("name", ["images", "steps", "restarts", "queries", "targets"])
def test_an_effort_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="out of range"):
        Verification(**{name: 0})


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError):
        verified("mbn3x1/mbn1x1:x0.125")
