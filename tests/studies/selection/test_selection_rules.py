"""Rules: each against a choice by hand or by brute force, and what can't be read."""

import numpy as np
import pytest
from closed_form import measurement
from hypothesis import given
from hypothesis import strategies as st

from space.errors import UserError
from studies.records import Record, front
from studies.selection.rules.reading import FORMS, check_rule, read_rule
from studies.selection.select import by_hand, select
from studies.terms import USUAL

OBJECTIVES = ("acc", "pgd", "bops")


def record(number, acc, pgd, cost):
    measured = {
        "acc": measurement("acc", acc, stderr=0.01),
        "pgd": measurement("pgd", pgd, stderr=0.02),
        "bops": measurement("bops", cost),
    }
    return Record(
        number=number, candidate=f"pact{number % 6 + 2}", key=str(number), state="complete", measurements=measured
    )


FRONT = [
    record(0, 0.95, 0.10, 8e6),
    record(1, 0.90, 0.50, 4e6),
    record(2, 0.80, 0.60, 8e6),
    record(3, 0.60, 0.45, 1e6),
    record(4, 0.85, 0.59, 9e6),
]
MANY = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=12, unique=True
).map(lambda rows: [record(i, acc / 20, pgd / 20, 1e6 * 2**cost) for i, (acc, pgd, cost) in enumerate(rows)])


def numbers(rule):
    selection = select(FRONT, OBJECTIVES, rule=rule)
    return [selection.chosen.number, *(one.number for one in selection.runners_up)]


def test_lexicographic_narrows_step_by_step():
    """Within 0.02 of the highest pgd are #2 and #4; #4 is the more accurate; with a tolerance the cheaper is left."""
    assert numbers("lexicographic:pgd~0.02,acc")[0] == 4
    assert numbers("lexicographic:pgd~0.02,acc~0.1,bops")[0] == 2
    assert numbers("lexicographic:pgd,acc")[0] == 2
    assert numbers("lexicographic:bops~3,acc") == [1, 3, 0, 4]
    selection = select(FRONT, OBJECTIVES, rule="lexicographic:pgd~0.02,acc~0.1,bops")
    assert selection.rule == (
        "within 0.02 of the highest worst-case accuracy under attack (pgd), of those within 0.1 of the highest clean "
        "accuracy (acc), of those the lowest bit operations (bops)"
    )
    assert selection.reason == ("of the 5 records of the front, 2 by pgd, 2 by acc, 1 by bops remain; #2 is left")


@pytest.mark.parametrize("images", [50, 100, 200, 1000])
def test_what_lies_right_at_a_tolerance_counts_as_the_best(images):
    """0.8 - 0.79 is a little more than 0.01, for a computer."""
    step = images // 50
    for best in range(step, images + 1):
        ends = [record(0, 0.5, best / images, 2e6), record(1, 0.6, (best - step) / images, 1e6)]
        assert read_rule("lexicographic:pgd~0.02,bops", OBJECTIVES).order(ends)[0].number == 1
        beyond = record(2, 0.6, (best - step - 0.01) / images, 5e5)
        assert read_rule("lexicographic:pgd~0.02,bops", OBJECTIVES).order([*ends, beyond])[0].number == 1


def test_a_tolerance_on_a_cost_is_a_share():
    """1e6 is the least: four times as much is within 300 %, but not within 299 %."""
    assert numbers("lexicographic:bops~3,acc")[0] == 1
    assert numbers("lexicographic:bops~2.99,acc")[0] == 3
    told = select(FRONT, OBJECTIVES, rule="lexicographic:bops~3,acc").rule
    assert told == "within 300 % of the lowest bit operations (bops), of those the highest clean accuracy (acc)"


def test_weights_by_hand():
    """Ranges: acc 0.60 to 0.95, pgd 0.10 to 0.60, bops 1e6 to 9e6 by their logarithm."""
    shares = {
        one.number: (
            (one.measurements["acc"].value - 0.6) / 0.35,
            (one.measurements["pgd"].value - 0.1) / 0.5,
            np.log(9e6 / one.measurements["bops"].value) / np.log(9),
        )
        for one in FRONT
    }
    scores = {number: np.dot(parts, (1, 2, 0.5)) / 3.5 for number, parts in shares.items()}
    expected = sorted(scores, key=lambda number: -scores[number])
    assert numbers("weights:acc=1,pgd=2,bops=0.5") == expected[:4]
    selection = select(FRONT, OBJECTIVES, rule="weights:acc=1,pgd=2,bops=0.5")
    assert f"comes to {scores[expected[0]]:.3f}" in selection.reason
    assert "each from 0 (the front's worst) to 1 (its best), costs by their logarithm" in selection.rule


@given(MANY)
def test_a_single_weight_is_the_best(records):
    best = front(records, OBJECTIVES)
    for name in OBJECTIVES:
        chosen = select(records, OBJECTIVES, rule=f"weights:{name}=3").chosen
        values = [one.measurements[name].value for one in best]
        assert chosen.measurements[name].value == (min(values) if name == "bops" else max(values))


def test_closest_by_hand():
    """#1 lacks 0.1 of pgd and of acc 0.05, over ranges of 0.5 and 0.35; its cost is better than wished for."""
    selection = select(FRONT, OBJECTIVES, rule="closest:pgd=0.6,acc=0.95,bops=5e6")
    assert selection.chosen.number == 1
    distance = np.hypot(0.1 / 0.5, 0.05 / 0.35)
    second = np.linalg.norm((0.01 / 0.5, 0.1 / 0.35, np.log(9 / 5) / np.log(9)))
    assert selection.reason == (
        f"#1 is {distance:.3f} away (pgd 0.5 misses by 0.1, acc 0.9 misses by 0.05); next is #4 with {second:.3f}"
    )
    granted = select(FRONT, OBJECTIVES, rule="closest:pgd=0.5,bops=4e6").reason
    assert granted.startswith("#1 is 0.000 away (it has all that was wished for); next is #")


@given(MANY, st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_a_wish_that_a_record_fulfils_is_at_no_distance(records, wish):
    rule = read_rule(f"closest:acc={wish[0] / 20},pgd={wish[1] / 20}", OBJECTIVES)
    members = front(records, OBJECTIVES)
    for one, far in zip(members, rule.distances(members), strict=True):
        fulfilled = one.measurements["acc"].value >= wish[0] / 20 and one.measurements["pgd"].value >= wish[1] / 20
        assert (far == 0) == fulfilled


RULES = (
    "best:pgd",
    "best:bops",
    "lexicographic:pgd~0.05,acc~0.1,bops",
    "weights:pgd=2,acc=1,bops=0.5",
    "closest:pgd=0.8,acc=0.9,bops=2e6",
)


@pytest.mark.parametrize("rule", RULES)
@given(records=MANY, seed=st.randoms(use_true_random=False))
def test_every_rule_ranks_the_whole_front_whatever_the_order(rule, records, seed):
    members = front(records, OBJECTIVES)
    ranked = read_rule(rule, OBJECTIVES).order(members)
    assert sorted(one.number for one in ranked) == [one.number for one in members]
    mixed = [*members]
    seed.shuffle(mixed)
    assert read_rule(rule, OBJECTIVES).order(mixed) == ranked
    assert select(records, OBJECTIVES, rule=rule).reason.count("\n") == 0


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("weights", r"unknown rule: got 'weights'"),
        ("knee:pgd", r"unknown rule: got 'knee:pgd'"),
        ("weights:pgd", r"weights of pgd: got 'pgd'; expected a weight of 0 or more; hint: e.g. weights:pgd=2"),
        ("weights:pgd=-1", r"weights of pgd: got '-1'"),
        ("weights:pgd=nan", r"weights of pgd: got 'nan'"),
        ("weights:pgd=0,acc=0", r"expected a weight above 0"),
        ("weights:pgd=1,pgd=2", r"expected each objective once"),
        ("weights:fgsm=1", r"expected an objective of the study: acc, pgd, bops"),
        ("closest:pgd=80", r"closest of pgd: got '80'; expected a value that it can have"),
        ("closest:bops=0", r"closest of bops: got '0'"),
        ("closest:", r"unknown objective: got ''"),
        ("lexicographic:pgd~-1", r"lexicographic of pgd: got '-1'; expected a tolerance of 0 or more"),
        ("lexicographic:pgd~", r"lexicographic of pgd: got 'pgd~'"),
        ("lexicographic:pgd~0.1,pdg", r"unknown objective: got 'pdg'.*did you mean 'pgd'"),
    ],
)
def test_what_is_no_rule_is_refused(rule, said):
    with pytest.raises(UserError, match=said) as refusal:
        check_rule(rule, OBJECTIVES)
    assert "\n" not in str(refusal.value)


def test_the_help_names_every_rule():
    from search.parser import build_parser

    text = build_parser()._subparsers._group_actions[0].choices["select"].format_help()
    assert all(f"{name}" in " ".join(text.split()) for name in FORMS)


def test_by_hand_the_choice_and_its_neighbours_are_told():
    selection = by_hand(FRONT[2], FRONT, OBJECTIVES, USUAL)
    assert (selection.chosen, [one.number for one in selection.runners_up]) == (FRONT[2], [0, 1, 3])
    assert selection.reason == "#2 was picked among the 5 records of the front"
