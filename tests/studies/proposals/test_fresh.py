"""Candidates that nobody tried: of the space, the same from the same trial, some of them close to the front."""

from closed_form import LARGE, measurement

from space.candidate import Candidate
from studies.proposals.fresh import BY_CHANCE, NEIGHBOURS, fresh
from studies.records import Record


def record(text):
    candidate = Candidate.parse(text)
    measured = {"bops": measurement("bops", 1e6)}
    return Record(number=0, candidate=str(candidate), key=candidate.key(), state="complete", measurements=measured)


FRONT = [record("in2:fp+dorefa2-4+xnor:majority:mu255@2:x0.5")]


def apart(one, other):
    """Parameters in which two candidates differ."""
    mine, theirs = LARGE.params(one), LARGE.params(other)
    return sum(mine.get(name) != theirs.get(name) for name in mine.keys() | theirs.keys())


def test_all_are_of_the_space_and_follow_from_seed_and_trial():
    found = [*fresh(LARGE, FRONT, 0, 7)]
    assert len(found) == BY_CHANCE + NEIGHBOURS
    assert all(LARGE.contains(one) for one in found)
    assert found == [*fresh(LARGE, FRONT, 0, 7)]
    assert found != [*fresh(LARGE, FRONT, 0, 8)]
    assert found != [*fresh(LARGE, FRONT, 1, 7)]


def test_neighbours_of_the_front_are_closer_to_it_than_chance():
    found = [*fresh(LARGE, FRONT, 0, 7)]
    centre = Candidate.parse(FRONT[0].candidate)
    by_chance, near = ([apart(one, centre) for one in part] for part in (found[:BY_CHANCE], found[BY_CHANCE:]))
    assert sum(near) / len(near) < sum(by_chance) / len(by_chance) - 2
    assert {one for one in near if 0 < one <= 2}


def test_without_a_front_there_is_chance_alone():
    assert len([*fresh(LARGE, [], 0, 0)]) == BY_CHANCE
