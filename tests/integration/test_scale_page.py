"""docs/scale.md and its job files name what the program takes."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import many_workers
import pytest

from search.cli import parse
from studies.desk import DEATHS
from studies.storage.patience import LONGEST
from studies.storage.place import BEAT, GRACE

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scale.md").read_text(encoding="utf-8")
ARRAY, PODS = DOCS / "scale" / "slurm-array.sh", DOCS / "scale" / "kubernetes.yaml"


def commands():
    yield from re.findall(r"^python -m search (.*)$", PAGE, re.MULTILINE)
    for line in re.findall(r"python -m search (.*)$", ARRAY.read_text(), re.MULTILINE):
        yield line.replace("${TRIALS:-500}", "500")
    for words in re.findall(r"command: \[python, -m, search, (.*)\]", PODS.read_text()):
        yield words.replace(",", "") + " --storage $STORAGE"


@pytest.mark.parametrize("words", [*commands()])
def test_every_command_is_one(words):
    assert parse(shlex.split(words)).command in ("run", "worker")


def test_there_are_commands_in_every_file():
    assert len([*commands()]) == 9


def test_the_array_script_is_one():
    assert subprocess.run(["bash", "-n", str(ARRAY)], check=False).returncode == 0


def test_the_pods_are_given_what_the_commands_need():
    text = PODS.read_text()
    assert text.count("kind: Job") == 2
    assert text.count("args: [--storage, $(STORAGE)]") == 2
    assert text.count("BITFRONT_CACHE") == 2


def test_its_figures_are_the_programs():
    assert f"every {BEAT} s, missed after {GRACE} s" in PAGE
    assert LONGEST == 15 * 60 and "up to fifteen minutes" in PAGE
    assert DEATHS == 5 and "killed five workers" in PAGE


def test_its_rates_are_those_that_were_measured():
    rows = json.loads((many_workers.HERE / "results" / "workers.json").read_text())["rows"]
    for one, two in zip(rows[::2], rows[1::2], strict=True):
        rates = [f"{row['trials an hour']:,.0f}" for row in (one, two)]
        assert f"| {one['engine']} | {' | '.join(rates)} | {one['ratio']:.2f} |" in PAGE


def test_its_table_is_the_simulations():
    found = json.loads((many_workers.HERE / "results" / "many_workers.json").read_text())
    assert [line for line in PAGE.splitlines() if re.match(r"\| [\d,]+ \|", line)] == many_workers.page(found["rows"])
    server = found["postgresql"]
    said = (
        f"{server['trials a second']:.1f} trials a second, {server['transactions a second']:.0f} transactions a second"
    )
    assert said in PAGE
    assert many_workers.PICTURE.stat().st_size > 10_000
