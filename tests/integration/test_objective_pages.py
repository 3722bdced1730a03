"""Every objective has a page; what it says of the objective is so, and what it says was measured is measured again."""

import json
import re
import shlex

import pytest
from pages import ROOT, commands

from evaluators import OBJECTIVES
from search.cli import main, parse

FOLDER = ROOT / "docs" / "objectives"
ACCURACIES = [name for name, objective in OBJECTIVES.items() if objective.unit == "fraction"]
COSTS = [name for name in OBJECTIVES if name not in ACCURACIES]
KNOWN_AFTER = {"cost": "milliseconds", "clean": "a training", "attack": "an attack"}
SECTIONS = ["How it is measured", "What it does not say", "When to take it", "Try it"]


def text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text()


def test_every_objective_has_a_page_and_a_line_in_the_index():
    assert {path.stem for path in FOLDER.iterdir()} == set(OBJECTIVES)
    index = (FOLDER.parent / "objectives.md").read_text()
    for name, objective in OBJECTIVES.items():
        better = "more" if objective.maximize else "less"
        assert f"| [`{name}`](objectives/{name}.md) | {objective.label} | {objective.unit} | {better} |" in index


@pytest.mark.parametrize("name", OBJECTIVES)
def test_pages_say_what_the_catalogue_says(name):
    objective, page = OBJECTIVES[name], text(name)
    assert page.startswith(f"# `{name}`: {objective.label}\n")
    unit, _, better, known = (cell.strip() for cell in page.splitlines()[4].strip("|").split("|"))
    assert unit == objective.unit
    assert better == ("more" if objective.maximize else "less")
    assert known.startswith(KNOWN_AFTER[objective.stage])
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("name", COSTS)
def test_costs_are_what_the_page_says(name, capsys):
    [command] = commands(FOLDER / f"{name}.md")
    assert main([*command, "--json"]) == 0
    said = int(re.search(r"^gives ([\d,]+) ", text(name), re.MULTILINE)[1].replace(",", ""))
    assert int(json.loads(capsys.readouterr().out)[name]) == said


def test_accuracies_are_what_the_pages_say(capsys, tmp_path):
    """All in one evaluation; another machine may train to slightly other weights, hence three standard errors."""
    said = {}
    for name in ACCURACIES:
        [command] = commands(FOLDER / f"{name}.md")
        assert command == shlex.split(f"evaluate in2:mbn3x1:x0.5 --objectives {name}")
        assert parse(command).objectives == (name,)
        said[name] = [float(one) / 100 for one in re.search(r"^gave ([\d.]+) ± ([\d.]+) %", text(name), re.M).groups()]
    everything = ["evaluate", "in2:mbn3x1:x0.5", "--objectives", ",".join(ACCURACIES), "--cache", str(tmp_path)]
    assert main([*everything, "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["measurements"]
    for name, (value, stderr) in said.items():
        assert abs(measured[name]["value"] - value) <= 3 * max(stderr, measured[name]["stderr"], 1e-3), name
