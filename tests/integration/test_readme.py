"""Every command and every program of the README runs, at a budget of seconds."""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SMALL = ["--epochs", "1", "--train-images", "200", "--images", "20", "--steps", "2"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]
PROGRAMS = blocks("python")


def small(arguments: list[str]) -> list[str]:
    """The same command with a budget of seconds; later flags win."""
    if arguments and arguments[0] in ("select", "plot", "cost", "compare", "reproduce"):
        return arguments
    if arguments and arguments[0] == "audit":
        return [*arguments, "--images", "10", "--steps", "2", "--restarts", "1", "--queries", "8"]
    if arguments and arguments[0] in ("evaluate", "diagnose"):
        return [*arguments, *SMALL]
    return [*arguments, *SMALL, "--trials", "2"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, mnist5k):
    """A folder with what a reader of the README has: own images and a space."""
    folder = tmp_path_factory.mktemp("reader")
    grey = {"train": mnist5k.train.head(300), "test": mnist5k.test.head(100)}
    arrays = {f"x_{name}": split.images[:, 0].numpy() for name, split in grey.items()}
    labels = {f"y_{name}": split.labels.numpy() for name, split in grey.items()}
    np.savez(folder / "mine.npz", **arrays, **labels)
    colour = {name: np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None].repeat(3, 3) for name, x in arrays.items()}
    np.savez(folder / "cifar10.npz", **colour, **labels)
    (folder / "mine.toml").write_text(blocks("toml")[0])
    return folder


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BITFRONT_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done


def test_readme_has_commands_and_programs():
    assert len(COMMANDS) == 11
    assert len(PROGRAMS) == 3
    assert all(command.startswith("python -m search ") for command in COMMANDS)


def test_commands_run_in_the_order_of_the_readme(workspace):
    for command in COMMANDS:
        done = run(["-m", "search", *small(shlex.split(command)[3:])], workspace)
        assert done.stdout.strip(), command
    made = {path.name for path in (workspace / "runs" / "mine").iterdir()}
    named = [
        "study.json",
        "trials.csv",
        "front.csv",
        "front.json",
        "front.png",
        "history.png",
        "selected.json",
        "journal.log",
    ]
    assert made >= set(named)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_programs_run(workspace, number):
    program = re.sub(
        r"main\((\[.*\])\)", lambda found: f"main({small(eval(found[1]))!r})", textwrap.dedent(PROGRAMS[number])
    )
    name = workspace / ("lenet.py" if "lenet" in program else f"program{number}.py")
    name.write_text(program)
    assert "acc" in run([str(name)], workspace).stdout


def test_first_screen_shows_the_command_and_its_picture():
    first = README.splitlines()[:25]
    assert any("python -m search --objectives acc,pgd,bops" in line for line in first)
    picture = next(line for line in first if line.startswith("!["))
    assert (ROOT / picture[picture.index("(") + 1 : -1]).stat().st_size > 10_000
