"""Texts reach a terminal and CSV files through one place each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRINTERS = {"search/console.py", "search/cli.py"}
"""Who may print; all others say, note or show a table."""

WRITERS = {"space/shown.py"}
"""Who may write CSV."""

FILES = [path for package in ("space", "evaluators", "studies", "search") for path in (ROOT / package).rglob("*.py")]


def calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_texts_go_through_one_place(path: Path) -> None:
    name, called = str(path.relative_to(ROOT)), calls(path)
    assert name in PRINTERS or not called & {"print", "sys.stdout.write", "sys.stderr.write"}, "say, note or say_json"
    assert name in WRITERS or not called & {"csv.writer", "csv.DictWriter"}, "space.shown.csv_text"
