"""What the tests of the documentation share: a page's blocks, and a way to run its commands in seconds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from evaluators.data import DataSet

ROOT = Path(__file__).parents[2]
SMALL = ["--epochs", "1", "--train-images", "200", "--images", "20", "--steps", "2"]

WEAK = ["--images", "10", "--steps", "2", "--restarts", "1", "--queries", "8", "--twins", "standard"]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The words after `python -m search` of every command of a page; remarks left out."""
    lines = [line.partition("  #")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
    words = [shlex.split(line) for line in lines if line]
    assert all(line[:3] == ["python", "-m", "search"] for line in words), page
    return [line[3:] for line in words]


def small(arguments: list[str]) -> list[str]:
    """The same command with a budget of seconds; later flags win."""
    if "--from-lock" in arguments:  # has its own budget
        return arguments
    if arguments and arguments[0] in ("select", "plot", "report", "cost", "compare", "reproduce", "export"):
        return arguments
    if arguments and arguments[0] == "confirm":
        return [*arguments, "--seeds", "1", "--epochs", "1", "--train-images", "200", *WEAK, "--binarized", "0"]
    if arguments and arguments[0] == "audit":
        return [*arguments, *WEAK]
    if arguments and arguments[0] in ("evaluate", "diagnose"):
        return [*arguments, *SMALL]
    return [*arguments, *SMALL, "--trials", "2"]


def own_images(folder: Path, data: DataSet) -> None:
    """Leave `mine.npz`, grey, and `cifar10.npz`, in colour and of 32×32 pixels, made of some images of a data set."""
    parts = {"train": data.train.head(300), "test": data.test.head(100)}
    grey = {f"x_{name}": part.images[:, 0].numpy() for name, part in parts.items()}
    labels = {f"y_{name}": part.labels.numpy() for name, part in parts.items()}
    colour = {name: np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None].repeat(3, 3) for name, x in grey.items()}
    np.savez(folder / "mine.npz", **grey, **labels)
    np.savez(folder / "cifar10.npz", **colour, **labels)


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in a folder, with a cache of its own; it must succeed."""
    environment = {**os.environ, "BITFRONT_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done
