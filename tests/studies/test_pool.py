"""The pool: candidates of known members, none of others, the same from the same records."""

import pytest
from closed_form import LARGE, SIXTY, measurement, parts

from space.candidate import Candidate
from space.space import SearchSpace
from studies import pool as module
from studies.pool import Pool
from studies.records import Record


def record(number, text, state="complete", trained=True):
    candidate = Candidate.parse(text)
    measured = {"bops": measurement("bops", 1e6)} | ({"acc": measurement("acc", 0.5)} if trained else {})
    return Record(
        number=number,
        candidate=str(candidate),
        key=candidate.key(),
        state=state,
        measurements=measured,
        origin="sampler",
    )


TEXTS = ("fp", "in2:xnor:x0.5", "in2:pact2+pact2:x0.5", "fp+mbn3x1+xnor", "in2:fp+dorefa4-2:majority:x0.5")


def filled(space, texts=TEXTS, seed=0):
    pool = Pool(space, seed)
    for number, text in enumerate(texts):
        pool.add(record(number, text))
    return pool


def test_all_are_of_the_space_and_of_known_members():
    known = set().union(*(parts(Candidate.parse(text)) for text in TEXTS))
    pool = filled(LARGE)
    assert len(pool.candidates) > 50
    for key, one in pool.candidates.items():
        assert (one.key(), one.canonical()) == (key, one)
        assert LARGE.contains(one)
        assert parts(one) <= known
    found = pool.candidates.values()
    assert {len(one.members) for one in found} == {1, 2, 3}
    assert {one.vote for one in found} == {None, "mean", "majority"}
    assert len({one.mapping for one in found}) == 4


def test_it_follows_from_seed_and_records():
    assert filled(LARGE).candidates == filled(LARGE).candidates
    assert [*filled(LARGE).candidates] == [*filled(LARGE).candidates]
    assert filled(LARGE).candidates != filled(LARGE, seed=1).candidates


def test_a_small_pool_is_complete():
    """Every candidate of the space whose members were trained, found by looking through all of them."""
    texts = ("in2:fp", "in2:pact2+xnor", "in4:xnor+xnor")
    known = set().union(*(parts(Candidate.parse(text)) for text in texts))
    expected = {one.key() for one in SIXTY.enumerate() if parts(one) <= known}
    assert filled(SIXTY, texts).candidates.keys() == expected
    assert len(expected) == 3 + 1 + 2


def test_a_second_initialisation_needs_a_first():
    """xnor+xnor is xnor/0 and xnor/1; one xnor alone does not make a pair."""
    space = SearchSpace(precisions=("xnor",), members=(1, 2))
    assert [str(one) for one in filled(space, ["xnor"]).candidates.values()] == ["xnor"]
    assert {str(one) for one in filled(space, ["xnor+xnor"]).candidates.values()} == {"xnor", "xnor+xnor"}


def test_what_was_not_trained_brings_nothing():
    pool = Pool(LARGE, 0)
    pool.add(record(0, "fp", state="vetoed", trained=False))
    pool.add(record(1, "fp", state="failed", trained=False))
    assert not pool.candidates
    pool.add(record(2, "fp", state="vetoed"))
    assert pool.candidates


def test_no_more_than_the_most_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 40)
    whole, few = filled(LARGE, TEXTS[:3]), filled(LARGE)
    assert len(whole.candidates) <= len(few.candidates) == 40
    assert any("mbn3x1" in str(one) for one in few.candidates.values())
    assert any(one.width == 0.5 for one in few.candidates.values())


@pytest.mark.parametrize("full", [(0,), (1,), (2,), (0, 2)])
def test_full_precision_members_are_as_many_as_the_space_wants(full):
    space = SearchSpace(precisions=("fp", "xnor", "pact2"), members=(1, 3), full_precision=full)
    pool = filled(space, ["fp+fp+xnor", "pact2", "xnor+xnor+pact2"])
    groups = [one.members for one in pool.candidates.values() if len(one.members) == 3]
    assert groups
    assert {sum(member.precision.float for member in group) for group in groups} == set(full)


def test_an_ensemble_space_without_singles_has_a_pool_too():
    space = SearchSpace(precisions=("xnor", "pact2"), members=(2,))
    assert {str(one) for one in filled(space, ["xnor+pact2", "xnor+xnor"]).candidates.values()} == {
        "pact2+xnor",
        "xnor+xnor",
    }
