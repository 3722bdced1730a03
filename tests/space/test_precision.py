from itertools import product

import pytest
from designs import precisions, refused
from hypothesis import given
from hypothesis import strategies as st

from space import Precision, UserError
from space.precision import all_precisions


def tokens_by_the_grammar() -> dict[str, tuple[str, int, int]]:
    """Every valid token and what it means, written out from the definition and not from the code."""
    valid = {"fp": ("fp", 8, 8), "bnn": ("bnn", 1, 1), "xnor": ("xnor", 1, 1)}
    valid |= {f"ptq{k}": ("ptq", k, 8) for k in range(2, 9)}
    for w, a in product(range(1, 9), repeat=2):
        valid |= {f"dorefa{w}-{a}": ("dorefa", w, a), f"mbn{w}x{a}": ("mbn", w, a)}
        if w >= 2 and a >= 2:
            valid[f"pact{w}-{a}"] = ("pact", w, a)
    shorthands = {f"dorefa{k}": ("dorefa", k, k) for k in range(1, 9)}
    shorthands |= {f"pact{k}": ("pact", k, k) for k in range(2, 9)}
    return valid | shorthands


def test_exactly_the_grammar_is_accepted():
    words = ["fp", "ptq", "bnn", "xnor", "pact", "dorefa", "mbn"]
    numbers = ["", *map(str, range(11)), "01"]
    tried = {f"{m}{w}{sep}{a}" for m, w, sep, a in product(words, numbers, ["", "-", "x"], numbers)}
    meanings = {}
    for token in tried:
        try:
            precision = Precision.parse(token)
        except UserError:
            continue
        meanings[token] = (precision.method, precision.weight, precision.activation)
    assert meanings == tokens_by_the_grammar()


def test_every_precision_has_one_token_that_reads_back():
    every = list(all_precisions())
    assert len(every) == len(set(every)) == 3 + 7 + 7 * 7 + 8 * 8 + 8 * 8
    assert len({str(p) for p in every}) == len(every)
    assert [Precision.parse(str(p)) for p in every] == every


@pytest.mark.parametrize(
    ("token", "canonical"),
    [
        ("pact4-4", "pact4"),
        ("pact4", "pact4"),
        ("dorefa4", "dorefa4-4"),
        ("pact2-4", "pact2-4"),
        ("mbn3x1",) * 2,
    ],
)
def test_shorthands_have_a_canonical_token(token, canonical):
    assert str(Precision.parse(token)) == canonical


def test_order_is_float_first_then_method_then_bits():
    fixed = ["pact2", "pact2-4", "pact4-2", "pact4", "dorefa2-4", "dorefa4-2", "dorefa4-4"]
    wanted = ["fp", "fp~c50", "fp~w25", "fp~w50", "ptq3", *fixed, "mbn1x3", "mbn3x1", "xnor", "bnn"]
    assert [str(p) for p in sorted(map(Precision.parse, reversed(wanted)))] == wanted
    assert list(all_precisions()) == sorted(all_precisions())


@given(precisions, precisions)
def test_order_is_total(one, other):
    assert (one < other) + (one == other) + (one > other) == 1


def test_precisions_do_not_compare_with_anything_else():
    with pytest.raises(TypeError):
        assert Precision.parse("fp") < "fp"


def test_which_are_binary_and_which_float():
    binary = {p.method for p in all_precisions() if p.binary}
    assert binary == {"bnn", "xnor", "mbn"}
    assert [str(p) for p in all_precisions() if p.float] == ["fp"]
    assert Precision.parse("fp") != Precision.parse("pact8")


@pytest.mark.parametrize(
    ("token", "parts"),
    [
        (
            "dorefa16-2",
            ["weight bits of dorefa out of range: got 16", "expected 1 to 8", "hint: e.g. 'dorefa4-2'"],
        ),
        ("dorefa4-0", ["activation bits of dorefa out of range: got 0"]),
        ("pact1", ["weight bits of pact out of range: got 1", "expected 2 to 8"]),
        ("mbn0x1", ["weight bases of mbn out of range: got 0"]),
        ("mbn1x9", ["activation bases of mbn out of range: got 9"]),
        ("mbm3x1", ["unknown precision: got 'mbm3x1'", "mbnMxN", "did you mean 'mbn3x1'?"]),
        ("FP", ["did you mean 'fp'?"]),
        ("mbn3", ["did you mean 'mbn3x1'?"]),
        ("dorefa", ["did you mean 'dorefa1-1'?"]),
        ("xnor1", ["did you mean 'xnor'?"]),
        ("pact04", ["did you mean"]),
        ("", ["got ''", "hint: e.g. 'mbn3x1'"]),
        ("fp\x1b[2J", ["unknown precision"]),
        ("٣", ["unknown precision"]),
        ("dorefa" + "1" * 5000, ["unknown precision"]),
        (None, ["unknown precision"]),
        (4, ["unknown precision: got 4"]),
    ],
)
def test_refusals_say_what_would_do(token, parts):
    refused(lambda: Precision.parse(token), *parts)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        (("pct", 4, 4), ["unknown precision method: got 'pct'", "did you mean 'pact'?"]),
        (("fp", 4, 4), ["weight bits of fp out of range: got 4", "expected 8 to 8"]),
        (("xnor", 1, 2), ["activation bits of xnor"]),
        (("pact", 4.0, 4), ["got 4.0", "a whole number"]),
        (("dorefa", True, 1), ["got True", "a whole number"]),
        (([], 8, 8), ["unknown precision method"]),
    ],
)
def test_the_constructor_checks_too(fields, parts):
    refused(lambda: Precision(*fields), *parts)


@given(st.text(max_size=30) | st.from_regex(r"(fp|pact|dorefa|mbn|xnor|bnn)[0-9x-]{0,6}", fullmatch=True))
def test_any_text_is_a_precision_or_a_refusal(token):
    try:
        precision = Precision.parse(token)
    except UserError as error:
        assert str(error).isprintable()
    else:
        assert Precision.parse(str(precision)) == precision
