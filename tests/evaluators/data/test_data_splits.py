from fractions import Fraction
from math import ceil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluators.data.splits import divide, held_out, spread
from evaluators.seeds import stream

seeds = st.integers(0, 3)


def counts_of(least: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(least, 30), min_size=2, max_size=6)


def labelled(counts: list[int], seed: int) -> torch.Tensor:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return labels[torch.randperm(len(labels), generator=stream(seed, "test"))]


@given(counts_of(1), seeds)
def test_spread_permutes(counts, seed):
    order = spread(labelled(counts, seed), stream(seed, "order"))
    assert sorted(order.tolist()) == list(range(sum(counts)))


@given(counts_of(1), seeds)
def test_every_prefix_of_a_spread_is_stratified(counts, seed):
    labels = labelled(counts, seed)
    seen, last = [0] * len(counts), Fraction(-1)
    for label in labels[spread(labels, stream(seed, "order"))].tolist():
        position = Fraction(seen[label], counts[label])
        assert position >= last
        if position > last:
            assert seen == [ceil(position * count) for count in counts]
        seen[label], last = seen[label] + 1, position


def test_spread_depends_on_the_generator_and_on_nothing_else():
    labels = labelled([20, 20], 0)
    first, again, other = (spread(labels, stream(seed, "order")) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_spread_is_random_within_a_class():
    first = [int(spread(torch.tensor([0] * 10 + [1] * 10), stream(seed, "order"))[0]) for seed in range(400)]
    drawn = torch.bincount(torch.tensor(first), minlength=20)
    assert (drawn > 0).all() and drawn.max() <= 20 + 5 * 20**0.5


@pytest.mark.parametrize(
    ("total", "classes", "limit", "expected"),
    [(4000, 10, 10_000, 800), (60_000, 10, 10_000, 10_000), (60_000, 10, None, 12_000), (10, 5, 10_000, 5)],
)
def test_a_fifth_is_held_out_but_one_per_class_and_no_more_than_the_limit(total, classes, limit, expected):
    assert held_out(total, classes, 0.2, limit) == expected


@given(counts_of(2), seeds)
def test_both_parts_are_disjoint_complete_and_hold_every_class(counts, seed):
    labels = labelled(counts, seed)
    held, rest = divide(labels, stream(seed, "split"), 0.2)
    assert sorted([*held.tolist(), *rest.tolist()]) == list(range(len(labels)))
    assert len(held) == max(len(counts), round(0.2 * len(labels)))
    for part in (held, rest):
        assert set(labels[part].tolist()) == set(range(len(counts)))


@given(counts_of(3), seeds)
def test_three_per_class_are_enough_to_divide_twice(counts, seed):
    labels = labelled(counts, seed)
    _, rest = divide(labels, stream(seed, "split"), 0.2)
    assert torch.bincount(labels[rest]).min() >= 2
