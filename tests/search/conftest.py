"""The command line in a real process, and small scenes to draw."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluators.base import Measurement
from evaluators.objectives import find_objectives
from search.plots import Point, Scene

Call = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bitfront(tmp_path: Path) -> Call:
    """`python -m search WORDS…` in an empty folder."""

    def call(*words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **extra}
        environment.pop("COLUMNS", None)
        command = [sys.executable, "-m", "search", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return call


def _points(count: int) -> tuple[Point, ...]:
    """A front that rises with bit operations, with a dominated point after each of its points."""
    points = []
    for number in range(count):
        good, cost = number % 2 == 0, 1e6 * 1.4**number
        hits = round(200 + 180 * number / count) - (0 if good else 90)
        points.append(
            Point(
                number=number,
                candidate="fp+xnor:majority" if number % 3 == 0 else "in2:mbn3x1:mu255@1",
                ensemble=number % 3 == 0,
                front=good,
                measurements={
                    "acc": Measurement.fraction(hits, 400),
                    "pgd": Measurement.fraction(hits // 2, 400),
                    "fgsm": Measurement.fraction(hits // 2 + 9, 400),
                    "bops": Measurement(value=cost, unit="bit-ops"),
                    "memory": Measurement(value=cost / 50, unit="bytes"),
                },
            )
        )
    return tuple(points)


@pytest.fixture
def scene() -> Callable[..., Scene]:
    """A synthetic scene: `scene("acc,bops", count=10, chosen=4)`."""

    def make(objectives: str = "acc,pgd,bops", count: int = 40, chosen: int | None = 4) -> Scene:
        return Scene(
            title="mnist5k, mnistconv, ε = 0.2",
            objectives=find_objectives(objectives.split(",")),
            points=_points(count),
            chosen=chosen,
            limits=(("bops", 2e8), ("acc", 0.6)),
        )

    return make
