import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from designs import candidates, refused
from hypothesis import example, given, settings
from hypothesis import strategies as st

import space as package
from space import (
    PRESETS,
    Candidate,
    Member,
    MuLaw,
    Precision,
    SearchSpace,
    UnknownName,
    UserError,
    load_space,
)

SMALL = """
input_bits = [8, 2]
precisions = ["xnor", "fp", "mbn3x1"]
members = [1, 2, 3]
full_precision = [0, 1, 3]
votes = ["mean", "majority"]
mu = [0, 15, 255]
mapped_layers = [1, 3]
widths = [1, 0.5]
"""
FEW = [Precision.parse(token) for token in ("fp", "pact2", "dorefa4-2", "xnor")]


def some(*values: object) -> st.SearchStrategy[list[object]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Small search spaces; axes that contradict each other are drawn again."""
    axes = {
        "input_bits": draw(some(1, 4, 8)),
        "precisions": draw(st.lists(st.sampled_from(FEW), min_size=1, max_size=4, unique=True)),
        "members": draw(some(1, 2, 3, 4)),
        "full_precision": draw(some(0, 1, 2, 4)),
        "votes": draw(some("mean", "majority")),
        "mu": draw(some(0, 7, 255)),
        "mapped_layers": draw(some(1, 2)),
        "widths": draw(some(0.5, 1)),
    }
    try:
        return SearchSpace(**axes)
    except UserError:
        return SearchSpace(**axes | {"members": (1,)} | {"full_precision": (0,)})


def by_brute_force(space: SearchSpace) -> set[Candidate]:
    """Every candidate by its definition: every ordered choice of members, made canonical."""
    found = set()
    for count in space.members:
        for chosen in product(space.precisions, repeat=count):
            full = sum(precision.method == "fp" for precision in chosen)
            if count > 1 and full not in space.full_precision:
                continue
            axes = (space.input_bits, space.votes, space.mu, space.mapped_layers, space.recipes, space.widths)
            for bits, vote, mu, layers, recipe, width in product(*axes):
                members = tuple(Member(precision) for precision in chosen)
                mapping = MuLaw(mu, layers) if mu else None
                one = Candidate(
                    input_bits=bits, members=members, vote=vote, mapping=mapping, recipe=recipe, width=width
                )
                found.add(one.canonical())
    return found


@given(spaces())
@settings(max_examples=60)
@example(SearchSpace.from_toml(SMALL))
@example(SearchSpace.from_toml("precisions = ['fp']"))
@example(SearchSpace.from_toml("precisions = ['fp']\nmembers = [3]\nfull_precision = [3]"))
def test_size_enumeration_and_brute_force_agree(space):
    listed = list(space.enumerate())
    assert space.size == len(listed) == len({one.key() for one in listed})
    assert set(listed) == by_brute_force(space)
    assert all(one == one.canonical() for one in listed[:50])


def test_size_of_a_space_counted_by_hand():
    space = SearchSpace.from_toml(SMALL)
    singles, pairs, triples = 3, 3 + 2, 4 + 3 + 1  # members xnor, mbn3x1 with repetition, and 0, 1 or all fp
    mappings = 1 + 2 * 2
    assert space.size == (singles + 2 * (pairs + triples)) * mappings * 2 * 2


neighbours = st.builds(
    Candidate,
    input_bits=st.sampled_from([4, 8]),
    members=st.lists(st.builds(Member, st.sampled_from(FEW)), min_size=1, max_size=4).map(tuple),
    vote=st.sampled_from([None, "mean", "majority"]),
    mapping=st.none() | st.builds(MuLaw, st.sampled_from([7, 255]), st.integers(1, 2)),
    width=st.sampled_from([0.5, 1]),
)


@given(spaces(), st.lists(neighbours | candidates, min_size=20, max_size=20))
@settings(max_examples=60)
def test_contains_agrees_with_enumerate(space, strangers):
    listed = set(space.enumerate())
    assert all(space.contains(one) for one in listed)
    for one in strangers:
        assert space.contains(one) == (one.canonical() in listed)


@given(spaces(), neighbours, st.data())
@settings(max_examples=60)
def test_contains_agrees_with_enumerate_one_field_away(space, neighbour, data):
    listed = set(space.enumerate())
    inside = data.draw(st.sampled_from(sorted(listed, key=str)))
    for field in ("input_bits", "members", "vote", "mapping", "width"):
        one = replace(inside, **{field: getattr(neighbour, field)})
        assert space.contains(one) == (one.canonical() in listed)


@given(spaces())
def test_json_reads_back(space):
    assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))) == space


def test_the_order_in_which_axes_are_written_does_not_matter():
    space = SearchSpace.from_toml(SMALL)
    turned = {name: values[::-1] for name, values in reversed(space.to_json().items())}
    assert SearchSpace.from_json(turned) == space
    assert hash(SearchSpace.from_json(turned)) == hash(space)
    assert [str(precision) for precision in space.precisions] == ["fp", "mbn3x1", "xnor"]


def test_axes_left_out_have_their_documented_defaults():
    assert SearchSpace.from_toml("precisions = ['xnor', 'fp']").to_json() == {
        "input_bits": [8],
        "precisions": ["fp", "xnor"],
        "members": [1],
        "full_precision": [0],
        "votes": ["mean"],
        "mu": [0],
        "mapped_layers": [1],
        "recipes": ["standard"],
        "widths": [1.0],
    }


def test_a_vote_outside_the_space_is_outside():
    space = SearchSpace.from_toml("precisions = ['xnor']\nmembers = [1, 2]\nvotes = ['mean']")
    assert space.contains(Candidate.parse("xnor+xnor"))
    assert not space.contains(Candidate.parse("xnor+xnor:majority"))
    assert space.contains(Candidate.parse("xnor:majority"))  # one member has no vote


def test_enumeration_is_lazy():
    huge = SearchSpace.preset("mnist").to_json() | {"members": [9], "full_precision": [0, 1]}
    space = SearchSpace.from_json(huge)
    assert space.size > 10**8
    assert str(next(space.enumerate())).startswith("in1:pact2+pact2+")


def test_presets_are_the_files():
    folder = Path(package.__file__).parent / "presets"
    assert {f"{name}.toml" for name in PRESETS} == {file.name for file in folder.iterdir()}
    assert PRESETS[0] == "tiny"


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load_by_name_and_as_files(name):
    file = Path(package.__file__).parent / "presets" / f"{name}.toml"
    assert load_space(name) == SearchSpace.preset(name) == load_space(str(file)) == SearchSpace.from_toml(file)


def test_tiny_is_as_documented():
    tiny = SearchSpace.preset("tiny")
    listed = list(tiny.enumerate())
    assert tiny.size == len(listed) == len({str(one) for one in listed}) == 34464
    fixed = ["fp", "pact2", "pact4", "dorefa2-4", "dorefa4-2"]
    assert tiny.to_json() == {
        "input_bits": [1, 2, 4, 8],
        "precisions": [*fixed, "mbn1x1", "mbn1x2", "mbn1x3", "mbn2x1", "mbn2x2", "mbn3x1", "mbn3x3", "xnor"],
        "members": [1, 2, 3],
        "full_precision": [0, 1],
        "votes": ["majority", "mean"],
        "mu": [0, 255],
        "mapped_layers": [1, 2, 3],
        "recipes": ["standard"],
        "widths": [0.25, 0.5],
    }


PUBLISHED = {
    "tiny": ["in2:xnor:x0.5", "fp+dorefa2-4+dorefa2-4:majority:x0.5", "mbn3x3:mu255@3:x0.25"],
    "mnist": [
        "in2:bnn",
        "fp+dorefa2-4+dorefa2-4:majority",
        "in4:fp:mu255@1",
        "fp+dorefa4-2+dorefa4-4:majority",
    ],
    "cifar10": ["in3:bnn", "fp+dorefa2-2+dorefa4-2:majority", "fp:mu255@3", "mbn7x1", "mbn5x5", "pact2:x2"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in PRESETS for text in PUBLISHED[name]])
def test_presets_hold_what_the_papers_published(name, text):
    assert SearchSpace.preset(name).contains(Candidate.parse(text))


TWO = 'precisions = ["fp", "xnor"]\n'


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        ("members = [1]", ["search space lacks precisions: got ['members']", "hint: e.g. precisions = "]),
        ("precisions = []", ["axis precisions is empty: got []", "at least one value"]),
        (TWO + "widths = []", ["axis widths is empty: got []", "hint: leave the key out"]),
        (
            'precisions = "fp"',
            ["axis precisions: got 'fp'", "expected a list", "hint: write precisions = […]"],
        ),
        (TWO + "mu = 255", ["axis mu: got 255", "expected a list"]),
        (TWO + "[mu]\na = 1", ["axis mu: got {'a': 1}"]),
        ('precisions = ["fp", 4]', ["precision: got 4", "expected text", "hint: e.g. 'mbn3x1'"]),
        ('precisions = ["fp", "mbm3x1"]', ["unknown precision: got 'mbm3x1'", "did you mean 'mbn3x1'?"]),
        (
            'precisions = ["pact4", "pact4-4"]',
            ["axis precisions repeats a value: got 'pact4'", "each value once"],
        ),
        (TWO + "widths = [1, 1.0]", ["axis widths repeats a value: got '1.0'"]),
        (TWO + "input_bits = [0]", ["input_bits out of range: got 0", "1 to 8"]),
        (TWO + 'input_bits = ["8"]', ["input_bits: got '8'", "a whole number, 1 to 8"]),
        (TWO + "input_bits = [8.0]", ["input_bits: got 8.0"]),
        (TWO + "input_bits = [true]", ["input_bits: got True"]),
        (TWO + "members = [0, 1]", ["members out of range: got 0", "1 to 9"]),
        (TWO + "members = [10]", ["members out of range: got 10"]),
        (TWO + "full_precision = [-1]", ["full_precision out of range: got -1"]),
        (TWO + 'votes = ["median"]', ["unknown vote: got 'median'", "one of majority, mean"]),
        (TWO + "votes = [1]", ["unknown vote: got 1"]),
        (TWO + "mu = [65536]", ["mu out of range: got 65536", "0 to 65535"]),
        (TWO + "mapped_layers = [0]", ["mapped_layers out of range: got 0"]),
        (TWO + 'recipes = ["standart"]', ["unknown recipe: got 'standart'", "did you mean 'standard'?"]),
        (TWO + "widths = [0.1]", ["width out of range: got 0.1", "0.125 to 8"]),
        (TWO + "widths = [nan]", ["width out of range: got nan"]),
        (TWO + "widths = [0.33333]", ["width too fine: got 0.33333"]),
        (TWO + "widhts = [1]", ["unknown axis of a search space: got 'widhts'", "did you mean 'widths'?"]),
        (
            "precisions = ['xnor']\nfull_precision = [0, 1]",
            ["full_precision without fp: got [0, 1]", "add 'fp'"],
        ),
        (
            "precisions = ['fp']\nmembers = [1, 2]",
            ["no ensemble is possible: got 'members = 2, full_precision = [0]'"],
        ),
        (TWO + "members = [2]\nfull_precision = [3]", ["no ensemble is possible: got 'members = 2"]),
        (
            TWO + "members = [1, 2]\nfull_precision = [0, 3]",
            ["full_precision fits no ensemble: got 3", "members = [2]", "hint: remove 3 from full_precision"],
        ),
    ],
)
def test_refusals_say_what_would_do(toml, parts):
    refused(lambda: SearchSpace.from_toml(toml), *parts)


def test_full_precision_is_unused_without_ensembles():
    assert SearchSpace.from_toml(TWO + "full_precision = [0, 1]").size == 2


@pytest.mark.parametrize("data", [None, [], "fp"])
def test_from_json_needs_an_object(data):
    refused(lambda: SearchSpace.from_json(data), "search space", "expected an object")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (
            "tinny",
            ["unknown search space (neither a preset nor a TOML file): got 'tinny'", "did you mean 'tiny'?"],
        ),
        ("", ["got ''", "one of cifar10, mnist, tiny"]),
        ("x" * 5000, ["got 'xxx", "…"]),
        ("tiny\0", ["did you mean 'tiny'?"]),
    ],
)
def test_an_unknown_name_mentions_the_presets(name, parts):
    assert isinstance(refused(lambda: load_space(name), *parts), UnknownName)


def test_an_unknown_preset_suggests_the_nearest():
    refused(lambda: SearchSpace.preset("cifar100"), "unknown search space preset: got 'cifar100'", "'cifar10'?")


@pytest.mark.parametrize("name", ["nowhere.toml", "no/where", "./tiny", "/"])
def test_a_missing_file_is_said_to_be_missing(name):
    error = refused(lambda: load_space(name), "search space file: got", "a readable TOML file")
    assert not isinstance(error, UnknownName) and "hint: no file is there" in str(error)


def test_a_file_called_like_a_preset_needs_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny").write_text("precisions = ['fp']")
    assert load_space("tiny").size == 34464
    assert load_space("./tiny").size == 1
