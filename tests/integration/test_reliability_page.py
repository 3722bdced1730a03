"""Every test that docs/reliability.md names is there, and its figures are those of the last run."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))


def test_the_page_names_tests():
    assert len(NAMED) >= 25


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_shows_a_promise_exists(file, name):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert not name or name in tests


def test_the_number_of_bad_inputs_is_that_of_the_corpus():
    commands = json.loads((ROOT / "tests" / "corpus" / "commands.json").read_text(encoding="utf-8"))
    assert f"{len(commands)} bad inputs" in PAGE


def test_the_figures_are_those_of_the_last_run():
    studies = json.loads((ROOT / "benchmarks" / "results" / "long_study.json").read_text(encoding="utf-8"))
    points = [*studies["random"], *studies["tpe"], *studies["default"]]
    rows = re.findall(r"^\| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \| (\d+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    named = ("evaluated", "records", "memory_mb", "journal_mb", "front", "ms_per_trial")
    assert [[float(cell.replace(",", "")) for cell in row] for row in rows] == [
        [float(point[name]) for name in named] for point in points
    ]
