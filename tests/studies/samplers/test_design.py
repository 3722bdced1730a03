"""The first design, and finding something new."""

import random
from itertools import islice

import numpy as np
import pytest
from closed_form import LARGE, SIXTY, Arithmetic, bops, config
from hypothesis import given
from hypothesis import strategies as st

from space.candidate import Candidate
from space.errors import UserError
from space.space import SearchSpace
from studies.header import make_header
from studies.limits import Limit
from studies.samplers.design import cost_axis, distinct, draws, first_design, something_new


def design_of(space, count, *, by="bops", limits=(), seed=0, trouble=None):
    evaluator = Arithmetic() if trouble is None else Arithmetic(trouble=trouble)
    pool = distinct(islice(draws(space, seed), 200))
    return first_design(pool, evaluator.cost, count=count, by=by, limits=limits, seed=seed), pool


def test_draws_are_in_the_space_and_follow_from_the_seed():
    some = list(islice(draws(LARGE, 1), 50))
    assert all(LARGE.contains(candidate) for candidate in some)
    assert some == list(islice(draws(LARGE, 1), 50))
    assert some != list(islice(draws(LARGE, 2), 50))


@given(st.integers(0, 2**63 - 1), st.integers(2, 10))
def test_every_stratum_of_the_cost_has_one_and_both_kinds_occur(seed, count):
    design, pool = design_of(LARGE, count, seed=seed)
    costs = np.sort([bops(candidate) for candidate in pool])
    strata = [costs[i * len(costs) // count : (i + 1) * len(costs) // count] for i in range(count)]
    for stratum, cost in zip(strata, sorted(map(bops, design)), strict=True):
        assert stratum[0] <= cost <= stratum[-1]
    assert len({candidate.key() for candidate in design}) == count
    assert {len(candidate.members) > 1 for candidate in design} == {True, False}


@pytest.mark.parametrize(
    ("texts", "kinds"),
    [
        (
            ["xnor", "xnor+xnor", "in2:fp", "fp"],
            {True, False},
        ),  # the only ensemble is in the stratum for a single
        (["xnor+xnor", "xnor+xnor+xnor", "pact4", "fp+fp"], {True, False}),
        (["xnor", "pact2", "pact4", "fp"], {False}),
    ],
)
def test_both_kinds_occur_wherever_they_lie(texts, kinds):
    pool = [Candidate.parse(text) for text in texts]
    design = first_design(pool, Arithmetic().cost, count=2, by="bops", limits=(), seed=0)
    assert {len(candidate.members) > 1 for candidate in design} == kinds
    assert len(design) == 2


def test_without_a_cost_objective_the_design_mixes_all_the_same():
    design, pool = design_of(LARGE, 10, by=None)
    assert len(design) == 10
    assert set(design) <= set(pool)
    assert {len(candidate.members) > 1 for candidate in design} == {True, False}


def test_a_small_space_gives_a_small_design():
    design, _ = design_of(SearchSpace(precisions=("fp", "xnor", "pact4")), 10)
    assert sorted(map(str, design)) == ["fp", "pact4", "xnor"]


def test_what_breaks_a_limit_or_does_not_fit_is_left_out():
    def refuse_coarse(candidate, name):
        if candidate.input_bits == 1:
            raise UserError("input bits of this network", got=1, expected="at least 2")

    design, _ = design_of(LARGE, 10, limits=[Limit.parse("bops<=2e7")], trouble=refuse_coarse)
    assert len(design) == 10
    assert max(map(bops, design)) <= 2e7
    assert min(candidate.input_bits for candidate in design) == 2


@pytest.mark.parametrize(
    ("objectives", "axis"),
    [(("acc", "memory", "bops"), "bops"), (("acc", "memory"), "memory"), (("acc", "pgd"), None)],
)
def test_the_cost_to_spread_over(objectives, axis):
    assert cost_axis(objectives) == axis


@pytest.mark.parametrize(("trials", "count"), [(1, 0), (9, 3), (24, 8), (300, 10)])
def test_a_header_holds_a_third_of_the_trials_at_most_ten(trials, count):
    header = make_header(config(), Arithmetic(), trials)
    assert len(header.design) == count
    assert header == make_header(config(), Arithmetic(), trials)
    assert {"python", "optuna", "torch"} <= header.versions.keys()


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_seeds_make_other_designs(sampler):
    one, two = (make_header(config(sampler=sampler, seed=seed), Arithmetic(), 30).design for seed in (0, 1))
    assert one != two


def test_limits_nobody_can_meet_are_refused_with_the_reach_of_the_space():
    with pytest.raises(UserError, match=r"nobody can meet: got 'bops<=1000'; expected at least 5e\+05, the cheapest"):
        make_header(config(limits=(Limit.parse("bops<=1000"),)), Arithmetic(), 30)


def test_something_new_is_always_found_in_a_small_space():
    everything = list(SIXTY.enumerate())
    random.Random(0).shuffle(everything)
    seen = {candidate.key() for candidate in everything[:-1]}
    assert something_new(SIXTY, seen, lambda _: True, seed=3) == everything[-1]
    assert something_new(SIXTY, seen, lambda _: False, seed=3) is None
    assert something_new(SIXTY, seen | {everything[-1].key()}, lambda _: True, seed=3) is None


def test_something_new_in_a_large_space_is_drawn():
    seen = {candidate.key() for candidate in islice(draws(LARGE, 5), 20)}
    found = something_new(LARGE, seen, lambda candidate: candidate.width == 0.5, seed=5)
    assert found.key() not in seen
    assert found.width == 0.5
    assert something_new(LARGE, seen, lambda _: False, seed=5) is None


def test_distinct_keeps_one_of_each_key_where_it_came_last():
    texts = ["fp", "pact4", "fp", "xnor", "pact4-4"]
    assert list(map(str, distinct(map(Candidate.parse, texts)))) == ["fp", "xnor", "pact4"]
