"""Precisions by stage: what is read, how it is written, how a space holds many of them."""

from itertools import product

import pytest
from designs import refused

from space import Candidate, Member, Precision, SearchSpace, Staged, read_precision
from space.stages import expand

MIXED = "mbn3x1/mbn1x1/pact4"


def test_a_precision_by_stage_reads_back():
    mixed = read_precision(MIXED)
    assert isinstance(mixed, Staged)
    assert [str(mixed.at(stage)) for stage in range(3)] == MIXED.split("/")
    assert read_precision(str(mixed)) == mixed
    assert str(read_precision("pact4-4/mbn1x1/dorefa2")) == "pact4/mbn1x1/dorefa2-2"


def test_equal_stages_are_the_precision_they_share():
    assert read_precision("pact4/pact4-4/pact4") == Precision.parse("pact4")
    assert Candidate.parse("xnor/xnor/xnor").key() == Candidate.parse("xnor").key()


def test_largest_bits_and_kinds_speak_for_the_whole():
    mixed = read_precision(MIXED)
    assert (mixed.weight, mixed.activation) == (4, 4)
    assert (mixed.binary, mixed.real, mixed.float) == (True, False, False)
    assert read_precision("fp/pact4/pact2").real


def test_mixed_precisions_come_after_the_others_and_have_an_order():
    texts = [MIXED, "bnn", "fp/pact4/pact2", "fp", "fp/pact2/pact4"]
    ranked = [str(one) for one in sorted(map(read_precision, texts))]
    assert ranked == ["fp", "bnn", "fp/pact2/pact4", "fp/pact4/pact2", MIXED]
    with pytest.raises(TypeError):
        assert read_precision(MIXED) < "fp"


def test_members_of_mixed_precision_join_ensembles():
    one = Candidate.parse(f"in2:{MIXED}+fp+{MIXED}:majority")
    assert str(one) == f"in2:fp+{MIXED}+{MIXED}:majority"
    assert [str(member) for member in one.members] == ["fp#0", f"{MIXED}#0", f"{MIXED}#1"]
    assert Candidate.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    ("token", "parts"),
    [
        ("fp/ptq3/fp", ("precision of a stage", "ptq3", "trained as it computes")),
        ("fp/fp~w50", ("precision of a stage", "fp~w50")),
        ("pact4/", ("unknown precision", "''")),
        ("pact4/mbn3", ("unknown precision", "'mbn3'")),
        ("/".join(["pact4", "pact2"] * 3), ("number of stages", "6", "2 to 4")),
    ],
)
def test_impossible_stages_are_refused_in_one_line(token, parts):
    refused(lambda: read_precision(token), *parts)


def test_a_pattern_stands_for_every_choice():
    assert list(expand("{a,b}/c/{d,e}")) == ["/".join(one) for one in product("ab", "c", "de")]
    assert list(expand("mbn3x1")) == ["mbn3x1"]
    assert list(expand(MIXED)) == [MIXED]


def test_a_space_searches_the_choices_of_a_pattern():
    space = SearchSpace.from_toml('precisions = ["fp", "{mbn3x1,pact4}/{mbn1x1,pact2}/bnn"]')
    assert space.size == 5 == len(list(space.enumerate()))
    assert {str(one) for one in space.enumerate()} == {"fp", *expand("{mbn3x1,pact4}/{mbn1x1,pact2}/bnn")}
    assert SearchSpace.from_json(space.to_json()) == space
    for one in space.enumerate():
        assert space.sample(Answers(space.params(one))) == one


class Answers:
    """A trial that answers as it was told."""

    def __init__(self, params: dict[str, object]) -> None:
        self.params = params

    def suggest_categorical(self, name, choices):
        assert self.params[name] in choices
        return self.params[name]


@pytest.mark.parametrize("pattern", ["{mbn3x1,pact4", "{}/fp/fp", "{mbn3x1,}/bnn/fp", "{bnn,bnn}/fp/fp"])
def test_malformed_patterns_are_refused(pattern):
    refused(lambda: SearchSpace.from_json({"precisions": [pattern]}), "precision")


def test_a_member_wants_a_precision():
    refused(lambda: Member(MIXED), "precision of a member")
