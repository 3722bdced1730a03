"""docs/diagnostics.md agrees with what `diagnose` takes and leaves."""

import re
import shlex
from pathlib import Path

import pytest

from evaluators import DIAGNOSTICS
from search.cli import parse

DOCS = Path(__file__).parents[3] / "docs"
DOCUMENT = (DOCS / "diagnostics.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", DOCUMENT, flags=re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^python -m search (diagnose .*)$", DOCUMENT, flags=re.MULTILINE)


def test_every_diagnostic_has_its_section() -> None:
    assert list(SECTIONS) == list(DIAGNOSTICS)


@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_a_section_names_the_columns_in_their_order(name: str) -> None:
    [columns] = re.findall(r"^\*\*Columns\.\*\* `([^`]+)`", SECTIONS[name], flags=re.MULTILINE)
    assert tuple(columns.split(", ")) == DIAGNOSTICS[name].columns


@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_a_section_shows_a_small_picture(name: str) -> None:
    [place] = re.findall(r"!\[[^]]+\]\(([^)]+)\)", SECTIONS[name])
    picture = DOCS / place
    assert picture.name == f"{name}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 60_000


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_understood(command: str) -> None:
    args = parse(shlex.split(command))
    assert set(args.only) <= DIAGNOSTICS.keys()


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 3
