"""docs/samplers.md names what the program takes, and says of `auto` what it does."""

import json
import re
import shlex
from pathlib import Path

import pytest

from search.cli import parse
from space import load_space
from studies import AUTO, SAMPLERS
from studies.samplers.choice import ENUMERABLE, RULES, Task, choose

PAGE = (Path(__file__).parents[2] / "docs" / "samplers.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


def section(title):
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows(text):
    """The cells of a table's rows, its heading left out."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines][1:]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_read(command):
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "search"]
    args = parse(words[3:])
    assert args.command == "run"
    assert args.sampler in SAMPLERS


def test_every_sampler_has_a_row_and_a_price():
    named = [row[0].strip("`") for row in rows(PAGE.partition("\n## ")[0])]
    assert sorted(named) == sorted(SAMPLERS)
    priced = re.findall(r"`(\w+)`", section("What a proposal costs").partition("| |")[2].splitlines()[0])
    assert sorted(priced) == sorted(set(SAMPLERS) - {AUTO})


def test_the_rules_are_those_of_the_table():
    assert [row[4].strip("`") for row in rows(section("What `auto` does"))] == [rule.sampler for rule in RULES]
    assert f"at most {ENUMERABLE:,} candidates" in PAGE


@pytest.mark.parametrize("trials", [1, 100, 101, 1000, 1001])
@pytest.mark.parametrize("objectives", [1, 3, 4, 6])
@pytest.mark.parametrize("modelled", [True, False])
def test_auto_chooses_what_the_page_says(modelled, objectives, trials):
    def fits(row):
        low, high = ("1", "6") if row[2] == "any" else row[2].split(" to ")
        most = re.fullmatch(r"to (\d+)", row[3])
        fit = int(low) <= objectives <= int(high) and (most is None or trials <= int(most[1]))
        return fit and (modelled or row[1] == "any")

    said = next(row[4].strip("`") for row in rows(section("What `auto` does"))[1:] if fits(row))
    assert choose(AUTO, Task(load_space("mnist").size, objectives, trials, modelled)).chosen == said
    assert choose(AUTO, Task(load_space("mnist").size, objectives, trials, modelled, limited=True)).chosen != "random"


def test_what_is_written_is_shown_as_it_is():
    shown = json.loads(re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1])
    assert shown == choose(AUTO, Task(load_space("tiny").size, 3, 60, modelled=True)).to_json()
