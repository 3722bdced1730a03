"""Every name on docs/papers.md is one that the program takes."""

import re
from pathlib import Path

import pytest

from evaluators import DIAGNOSTICS, NETWORKS, OBJECTIVES, cost_report
from search.cli import parse
from space import RECIPES, Candidate, SearchSpace
from studies import find_tables

PAGE = (Path(__file__).parents[2] / "docs" / "papers.md").read_text()
CELLS = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
NAMES = [(kind, name) for cell in CELLS for kind, name in re.findall(r"(\w+ )?`([^`]+)`", cell)]
CANDIDATES = [name for kind, name in NAMES if not kind]


def named(kind: str) -> list[str]:
    return [name for given, name in NAMES if given.strip() == kind]


@pytest.mark.parametrize("text", CANDIDATES)
def test_candidates_are_read_and_written_alike(text):
    assert str(Candidate.parse(text)) == text


@pytest.mark.parametrize("text", CANDIDATES)
def test_a_space_may_hold_each_of_them(text):
    one = Candidate.parse(text)
    axes = {
        "input_bits": [one.input_bits],
        "precisions": sorted({str(member.precision) for member in one.members}),
        "members": [len(one.members)],
        "full_precision": [sum(member.precision.float for member in one.members) if len(one.members) > 1 else 0],
        "votes": [one.vote or "mean"],
        "mu": [one.mapping.mu if one.mapping else 0],
        "mapped_layers": [one.mapping.layers if one.mapping else 1],
        "recipes": [one.recipe],
    }
    text = "\n".join(f"{name} = {values}" for name, values in axes.items())
    assert SearchSpace.from_toml(text).contains(one)


def test_names_of_every_kind_are_known():
    assert set(named("objective")) <= set(OBJECTIVES)
    assert set(named("network")) == set(NETWORKS)
    assert set(named("diagnostic")) == set(DIAGNOSTICS)
    assert {table.name for name in named("table") for table in find_tables(name)} == {
        table.name for table in find_tables("all")
    }


def test_costs_are_reported():
    assert set(named("cost")) <= cost_report(Candidate.parse("fp"), "mnistconv").to_json().keys()


def test_every_recipe_but_our_own_is_named():
    assert {Candidate.parse(text).recipe for text in CANDIDATES} == set(RECIPES) - {"warm"}


def test_flags_are_flags_of_evaluate():
    for flags in named("flag"):
        assert parse(["evaluate", "fp", *flags.split()]).command == "evaluate"


def test_nothing_on_the_page_is_left_untried():
    kinds = {kind.strip() for kind, _ in NAMES}
    assert kinds == {"", "objective", "network", "diagnostic", "table", "flag", "cost"}
