import re

import pytest
from designs import candidates, orders, refused
from hypothesis import example, given
from hypothesis import strategies as st

from space import Candidate, UserError
from space.text import DEFAULTS, plain

CANONICAL = [
    "fp",
    "mbn3x1",
    "pact4:x0.5",
    "in1:fp",
    "in2:fp+dorefa4-2+dorefa4-4:majority",
    "in4:mbn3x3:mu255@1",
    "fp+fp+xnor:majority:mu65535@1000:x0.125",
    "pact2-4+mbn7x1+bnn:x8",
    "fp:x0.3",
    "fp:x1.0001",
]


@given(candidates)
def test_text_reads_back_the_canonical_form(candidate):
    assert Candidate.parse(str(candidate)) == candidate.canonical()


@given(candidates)
def test_text_is_safe_in_a_shell_and_in_a_file_name(candidate):
    assert re.fullmatch(r"[a-z0-9.:+@-]+", str(candidate))


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_texts_stay(text):
    assert str(Candidate.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("in8:fp", "fp"),
        ("fp:x1", "fp"),
        ("fp:x1.0", "fp"),
        ("fp:x0.50", "fp:x0.5"),
        ("fp:standard", "fp"),
        ("fp:majority", "fp"),
        ("fp:mean", "fp"),
        ("fp+fp:mean", "fp+fp"),
        ("xnor+pact4-4+dorefa4", "pact4+dorefa4-4+xnor"),
    ],
)
def test_other_ways_to_write_it(text, canonical):
    assert str(Candidate.parse(text)) == canonical


@pytest.mark.parametrize("options", orders(["majority", "mu255@3", "standard", "x0.5"]))
def test_options_come_in_any_order(options):
    assert str(Candidate.parse(f"in2:fp+xnor{options}")) == "in2:fp+xnor:majority:mu255@3:x0.5"


def test_defaults_of_text_are_those_of_the_class():
    bare = Candidate(members=Candidate.parse("fp").members).to_json()
    assert {name: bare[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["empty candidate: got ''", "[inK:]MEMBER", "hint: e.g. 'in4:mbn3x1'"]),
        ("fp::x2", ["empty part in candidate: got 'fp::x2'"]),
        (":fp", ["empty part"]),
        ("fp:", ["empty part"]),
        ("fp+", ["empty member in candidate: got 'fp+'", "hint: e.g. 'fp+xnor'"]),
        ("+fp", ["empty member"]),
        ("in4", ["candidate without members: got 'in4'"]),
        ("in0:fp", ["input bits out of range: got 0", "expected 1 to 8"]),
        ("in9:fp", ["input bits out of range: got 9"]),
        ("in04:fp", ["malformed input bits: got 'in04'", "in1 to in8"]),
        ("in:fp", ["malformed input bits: got 'in'"]),
        ("in4:in4:fp", ["second input_bits in candidate: got 'in4'"]),
        ("fp:in4", ["unknown option in candidate: got 'in4'", "hint: input bits come first"]),
        ("fp:xnor", ["unknown option in candidate: got 'xnor'", "joined by '+'"]),
        ("fp:maen", ["unknown option in candidate: got 'maen'", "did you mean 'mean'?"]),
        ("fp:majorty", ["did you mean 'majority'?"]),
        ("fp:Standard", ["did you mean 'standard'?"]),
        ("fp+xnor:mean:majority", ["second vote in candidate: got 'majority'", "expected only one"]),
        ("fp:x1:x1", ["second width in candidate: got 'x1'"]),
        ("fp:mu255@1:mu255@2", ["second mapping in candidate: got 'mu255@2'"]),
        ("fp:standard:standard", ["second recipe"]),
        ("fp:mu0@1", ["mu out of range: got 0", "hint: leave mu out"]),
        ("fp:mu65536@1", ["mu out of range: got 65536"]),
        ("fp:mu255@0", ["mapped layers out of range: got 0"]),
        ("fp:mu255", ["got 'mu255'", "hint: mu and the number of last layers", "'mu255@1'"]),
        ("fp:mu-1@1", ["hint: mu and the number"]),
        ("fp:x0", ["width out of range: got 0.0", "expected 0.125 to 8"]),
        ("fp:x8.0001", ["width out of range: got 8.0001"]),
        ("fp:x" + "9" * 900, ["width out of range: got inf"]),
        ("fp:x0.33333", ["got 'x0.33333'", "at most 4 decimals"]),
        ("fp:x1e1", ["a plain decimal"]),
        ("fp:x-1", ["a plain decimal"]),
        ("fp:x.5", ["a plain decimal"]),
        ("fp:x05", ["a plain decimal"]),
        ("mbn0x1", ["weight bases of mbn out of range: got 0"]),
        ("dorefa16-2", ["weight bits of dorefa out of range: got 16"]),
        ("fp+mbm3x1", ["unknown precision: got 'mbm3x1'", "did you mean 'mbn3x1'?"]),
        ("+".join(["fp"] * 10), ["number of members out of range: got 10", "expected 1 to 9"]),
        (" fp", ["white space in candidate: got ' fp'", "hint: write 'fp'"]),
        ("fp + xnor", ["hint: write 'fp+xnor'"]),
        ("fp\n", ["white space in candidate"]),
        ("fp:\u00a0x2", ["white space"]),
        (" " * 900 + "fp", ["white space", "hint: e.g."]),
        ("+".join(["fp"] * 400), ["candidate too long", "at most 1000 characters"]),
        ("fp:\x1b[31m", ["unknown option in candidate"]),
        ("fp:x٣", ["unknown option"]),
        (None, ["candidate", "expected text"]),
        (b"fp", ["candidate: got b'fp'"]),
    ],
)
def test_refusals_say_what_would_do(text, parts):
    error = refused(lambda: Candidate.parse(text), *parts)
    assert error.hint


numbered = ["in1", "in8", "in9", "mbn3x1", "pact4", "mu255@1", "x2", "x0.5", "x", "1"]
tokens = st.sampled_from(["fp", "xnor", "+", ":", "mean", "majority", "standard", *numbered])


@given(st.text(max_size=40) | st.lists(tokens, max_size=8).map("".join) | st.lists(tokens, max_size=6).map(":".join))
@example("in8:fp:mu255@1:x2:mean")
def test_any_text_is_a_candidate_or_a_refusal(text):
    try:
        candidate = Candidate.parse(text)
    except UserError as error:
        assert str(error).isprintable()
    else:
        assert candidate == candidate.canonical() == Candidate.parse(str(candidate))


@given(st.integers(1250, 80000))
def test_widths_are_the_shortest_plain_decimals(tenthousandths):
    text = plain(tenthousandths / 10000)
    assert float(text) * 10000 == pytest.approx(tenthousandths, abs=1e-6)
    assert not re.search(r"e|\.0*$|\.\d*0$|\.\d{5}", text)
