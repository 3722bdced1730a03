import json
from dataclasses import FrozenInstanceError, replace

import pytest
from designs import candidates, refused
from hypothesis import given
from hypothesis import strategies as st

from space import Candidate, Member, MuLaw, Precision

FP, XNOR = Precision.parse("fp"), Precision.parse("xnor")
DATA = {
    "input_bits": 2,
    "members": ["fp", "dorefa4-2"],
    "vote": "majority",
    "mapping": {"mu": 255, "layers": 1},
    "recipe": "standard",
    "width": 1.0,
}
KEYS = {
    "fp": "6e288eb9d605b050",
    "mbn3x1": "c9562be1d6f86a35",
    "in2:fp+dorefa4-2:majority:mu255@1:x0.5": "7d445b9aa2ca4e38",
}


@given(candidates)
def test_canonical_is_idempotent_and_changes_no_design(candidate):
    one = candidate.canonical()
    assert one.canonical() == one
    assert (str(one), one.key(), one.to_json()) == (str(candidate), candidate.key(), candidate.to_json())


@given(candidates, st.data())
def test_equal_designs_share_a_key(candidate, data):
    shuffled = data.draw(st.permutations(candidate.members))
    renumbered = tuple(Member(member.precision, data.draw(st.integers(0, 8))) for member in shuffled)
    vote = candidate.canonical().vote or data.draw(st.sampled_from([None, "mean", "majority"]))
    other = replace(candidate, members=renumbered, vote=vote)
    assert other.canonical() == candidate.canonical()
    assert other.key() == candidate.key()


@given(candidates, candidates)
def test_texts_and_keys_differ_exactly_where_designs_do(one, other):
    same = one.canonical() == other.canonical()
    assert (one.key() == other.key()) == (str(one) == str(other)) == same


@given(candidates)
def test_json_reads_back_the_canonical_form(candidate):
    text = json.dumps(candidate.to_json())
    assert Candidate.from_json(json.loads(text)) == candidate.canonical()


def test_json_is_as_specified():
    one = Candidate.parse("in2:dorefa4-2+fp:mu255@1:majority")
    assert one.to_json() == DATA
    assert Candidate.from_json(DATA) == one
    assert Candidate.parse("xnor").to_json()["vote"] is None


def test_keys_do_not_drift():
    """Caches and studies on disk are addressed by these: a change of one loses what was measured."""
    assert {text: Candidate.parse(text).key() for text in KEYS} == KEYS


def test_members_are_sorted_and_numbered():
    given_order = (Member(XNOR, 3), Member(FP, 5), Member(XNOR), Member(FP, 5))
    one = Candidate(members=given_order).canonical()
    assert [str(member) for member in one.members] == ["fp#0", "fp#1", "xnor#0", "xnor#1"]


def test_published_ensemble_keeps_its_order():
    text = "fp+dorefa4-2+dorefa4-4"
    assert str(Candidate.parse("dorefa4-4+fp+dorefa4-2")) == text
    assert str(Candidate.parse(f"in2:{text}:majority")) == f"in2:{text}:majority"


def test_what_changes_nothing_is_removed():
    assert Candidate(members=(Member(FP),), vote="majority").canonical().vote is None
    assert Candidate(members=(Member(FP), Member(XNOR))).canonical().vote == "mean"
    assert type(Candidate(members=(Member(FP),), width=2).canonical().width) is float


def test_candidates_are_values():
    one = Candidate.parse("in4:mbn3x3:mu255@1")
    assert len({one, Candidate.parse("mbn3x3:mu255@1") and Candidate.parse("in4:mbn3x3:mu255@1:x1")}) == 1
    with pytest.raises(FrozenInstanceError):
        one.width = 2.0
    assert str(one.mapping) == "mu255@1"


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            {"input_bits": 9},
            ["input bits out of range: got 9", "expected 1 to 8", "hint: 8 leaves the input"],
        ),
        ({"input_bits": True}, ["input bits: got True", "a whole number"]),
        ({"input_bits": 2.0}, ["input bits: got 2.0"]),
        ({"input_bits": 10**5000}, ["a number too long to show"]),
        ({"members": []}, ["number of members out of range: got 0", "expected 1 to 9"]),
        ({"members": ["fp"] * 10}, ["number of members out of range: got 10"]),
        ({"members": "fp"}, ["members: got 'fp'", "a list of precisions"]),
        ({"members": ["fp", 4]}, ["unknown precision: got 4"]),
        ({"vote": "median"}, ["unknown vote: got 'median'", "one of majority, mean", "did you mean"]),
        ({"vote": 1}, ["unknown vote: got 1"]),
        ({"mapping": {"mu": 0, "layers": 1}}, ["mu out of range: got 0", "hint: leave mu out"]),
        ({"mapping": {"mu": 255, "layers": 0}}, ["mapped layers out of range: got 0"]),
        ({"mapping": {"mu": 255}}, ["mapping lacks a key: got ['mu']", "hint: add layers"]),
        (
            {"mapping": {"mu": 255, "layer": 1}},
            ["unknown key of mapping: got 'layer'", "did you mean 'layers'?"],
        ),
        ({"mapping": 255}, ["mapping: got 255", "hint: its keys are mu, layers"]),
        ({"recipe": "standart"}, ["unknown recipe: got 'standart'", "did you mean 'standard'?"]),
        ({"width": 0.1}, ["width out of range: got 0.1", "expected 0.125 to 8"]),
        ({"width": float("nan")}, ["width out of range: got nan"]),
        ({"width": "1"}, ["width out of range: got '1'"]),
        ({"width": True}, ["width out of range: got True"]),
        ({"width": 0.1 + 0.2}, ["width too fine", "at most 4 decimals"]),
        ({"widht": 1}, ["unknown key of candidate: got 'widht'", "did you mean 'width'?"]),
        ({3: 1}, ["unknown key of candidate: got 3"]),
    ],
)
def test_from_json_refuses(change, parts):
    refused(lambda: Candidate.from_json(DATA | change), *parts)


@pytest.mark.parametrize("key", DATA)
def test_from_json_needs_every_key(key):
    data = {name: value for name, value in DATA.items() if name != key}
    refused(lambda: Candidate.from_json(data), "candidate lacks a key", f"hint: add {key}")


@pytest.mark.parametrize("data", [None, [], "fp", 3])
def test_from_json_needs_an_object(data):
    refused(lambda: Candidate.from_json(data), "candidate", "expected an object")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(DATA)), json_values)
def test_any_json_is_a_candidate_or_a_refusal(key, value):
    data = DATA | {key: value}
    try:
        candidate = Candidate.from_json(data)
    except Exception:
        refused(lambda: Candidate.from_json(data))
    else:
        assert candidate == candidate.canonical()


@pytest.mark.parametrize(
    ("act", "part"),
    [
        (lambda: Candidate(members=[Member(FP)]), "a tuple of Member"),
        (lambda: Candidate(members=(FP,)), "a tuple of Member"),
        (lambda: Candidate(members=(Member(FP),), mapping=255), "a MuLaw or None"),
        (lambda: Member("fp"), "a Precision"),
        (lambda: Member(FP, -1), "initialisation index out of range: got -1"),
        (lambda: MuLaw(65536, 1), "mu out of range: got 65536"),
        (lambda: MuLaw(255.0, 1), "mu: got 255.0"),
    ],
)
def test_constructors_check_types(act, part):
    refused(act, part)
