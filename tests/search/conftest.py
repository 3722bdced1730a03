"""The command line in a real process, and small scenes to draw."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evaluators.base import Budget, Measurement, Protocol
from evaluators.objectives import OBJECTIVES, find_objectives
from search.pictures import draw_pictures
from search.plots import Point, Scene
from space import Candidate, SearchSpace
from studies import Stop, Study, StudyConfig, write_outputs

Use = Callable[..., None]
Call = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are as wide as in a pipe, whatever the shell that the tests were started from says of its window."""
    monkeypatch.delenv("COLUMNS", raising=False)


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


SPACE = 'precisions = ["fp", "pact4", "xnor"]\nmembers = [1, 2]\nfull_precision = [0, 1]\ninput_bits = [2, 8]\n'


Flags = Callable[[Candidate], tuple[str, ...]]
WORST_CASE = ("certified", "pgd_naive", "pgd")
"""What is measured together, whenever the last is asked for."""


def nothing_flagged(candidate: Candidate) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """An evaluator whose answers follow from the candidate: ensembles are robust, accuracy is dear."""

    protocol: Protocol
    budget: Budget
    trouble: Callable[[Candidate], None] = lambda candidate: None
    flags: Flags = nothing_flagged

    def under(self, protocol: Protocol, budget: Budget) -> Table:
        return replace(self, protocol=protocol, budget=budget)

    def known(self, candidate: Candidate) -> bool:
        """It has no members that could be kept."""
        return False

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        bits = sum(member.precision.weight * member.precision.activation for member in candidate.members)
        bops = 1e6 * bits * candidate.width**2
        return {
            "bops": Measurement(value=bops, unit="bit-ops"),
            "memory": Measurement(value=bops / 100, unit="bytes"),
            "activations": Measurement(value=bops / 900, unit="bytes"),
            "baskin": Measurement(value=3 * bops, unit="bit-ops"),
            "ops64": Measurement(value=bops / 64, unit="operations"),
        }

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        self.trouble(candidate)
        luck = int(candidate.key()[:4], 16) % 10
        bits = math.log2(self.cost(candidate)["bops"].value)
        rates = {"acc": 60 + bits - luck / 2, "fgsm": 50 + luck, "bim": 41 + luck, "pgd": 40 + luck}
        rates |= {"rfgsm": 51 + luck, "mim": 42 + luck, "cw": luck, "uniform": 55 + luck, "gaussian": 56 + luck}
        rates |= {"transfer": 45 + luck, "certified": 5 + luck, "pgd_naive": 40 + 1.5 * luck}
        flags = self.flags(candidate)
        for name in (name for name in OBJECTIVES if name in {*names, *(WORST_CASE if "pgd" in names else ())}):
            bonus = 20 * (len(candidate.members) - 1) if name != "acc" else 0
            one = Measurement.fraction(round(rates[name] + bonus), 100, seconds=0.5)
            yield name, replace(one, flags=flags) if name == "pgd" else one


@pytest.fixture
def use_table(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Let the commands of this process open a Table instead of training; `trouble` may raise, `flags` may flag."""

    def use(trouble: Callable[[Candidate], None] = lambda candidate: None, flags: Flags = nothing_flagged) -> None:
        def open_table(
            *,
            dataset: str,
            network: str | None,
            epsilon: float | None,
            source: str,
            seed: int,
            budget: Budget,
            **rest: object,
        ) -> Table:
            protocol = Protocol(
                dataset=dataset,
                checksum="0",
                network=network or "mnistconv",
                epsilon=epsilon or 0.2,
                source=source,
                seed=seed,
            )
            return Table(protocol=protocol, budget=budget, trouble=trouble, flags=flags)

        monkeypatch.setattr("evaluators.open_evaluator", open_table, raising=False)

    return use


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study of twelve candidates; not to be changed."""
    config = StudyConfig(
        objectives=("acc", "pgd", "bops"),
        space=SearchSpace.from_toml(SPACE),
        protocol=Protocol(dataset="mnist5k", checksum="0", network="mnistconv", epsilon=0.2),
        budget=Budget(),
    )
    study = Study.open(tmp_path_factory.mktemp("finished") / "study", config)
    study.run(Table(protocol=config.protocol, budget=config.budget), Stop(trials=12))
    write_outputs(study)
    draw_pictures(study)
    return study.folder


@pytest.fixture
def study(tmp_path: Path, finished: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished study, at `study` in the current folder, with its `space.toml` beside it."""
    use_table()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.toml").write_text(SPACE)
    return shutil.copytree(finished, tmp_path / "study")
