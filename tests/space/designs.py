"""Hypothesis strategies for designs, written the long way: valid, but not canonical."""

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import strategies as st

from space import RECIPES, Candidate, Member, MuLaw, UserError
from space.precision import all_precisions

precisions = st.sampled_from(list(all_precisions()))
members = st.builds(Member, precisions, st.integers(0, 8))
mappings = st.none() | st.builds(MuLaw, st.integers(1, 65535), st.integers(1, 1000))
widths = st.integers(1250, 80000).map(lambda n: n / 10000) | st.integers(1, 8)
votes = st.sampled_from([None, "mean", "majority"])
candidates = st.builds(
    Candidate,
    input_bits=st.integers(1, 8),
    members=st.lists(members, min_size=1, max_size=9).map(tuple),
    vote=votes,
    mapping=mappings,
    recipe=st.sampled_from(RECIPES),
    width=widths,
)


def orders(options: list[str]) -> list[str]:
    """Every order of the options of a text form, joined as they are in it."""
    return [":".join(["", *order]) if order else "" for order in permutations(options)]


def refused(act: Callable[[], object], *parts: str) -> UserError:
    """Run what must be refused; the one line says what, got, expected and a hint, and has these parts."""
    with pytest.raises(UserError) as caught:
        act()
    line, error = str(caught.value), caught.value
    assert line.isprintable() and len(line) < 600
    assert error.what and error.expected
    for part in parts:
        assert part in line, f"{part!r} is not in {line!r}"
    return error
