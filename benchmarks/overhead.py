"""What a search itself takes: sampler, storage, records, files and pictures, at 1,000 trials; and the start.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --startup

Candidates are answered by a formula at once, so that all time is the search's own. A real trial beside it, members
trained and attacked, says which share that is. Each trial's time runs from one told trial to the next.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, mean, median

from timing import save

from evaluators import open_evaluator
from evaluators.base import Budget, Measurement, Protocol
from evaluators.cost.report import cost_measurements, cost_report
from evaluators.networks.plan import Plan
from evaluators.objectives import OBJECTIVES
from evaluators.prices import Prices
from search.pictures import draw_pictures
from search.progress import progress
from space import Candidate, load_space
from studies import Event, Stop, Study, StudyConfig, TrialFinished, write_outputs

OBJECTIVE_NAMES = ("acc", "pgd", "bops")
ENDS = 100
"""Trials at either end that are compared."""

KINDS: dict[str, dict[str, str]] = {
    "default": {},
    "tpe": {"sampler": "tpe", "proposals": "off"},
    "nsga2": {"sampler": "nsga2", "proposals": "off"},
    "random": {"sampler": "random", "proposals": "off"},
}
"""What a study of a thousand trials may have: predictions beside chance, or a sampler alone."""

REAL_TRIALS = 6
STARTS = 3

FIRST = """
import sys, tempfile
from pathlib import Path
from evaluators import Budget, open_evaluator
from space import load_space
from studies import Stop, Study, StudyConfig, TrialStarted
budget = Budget(epochs=1, train_images=100, images=10, steps=1)
evaluator = open_evaluator(dataset="mnist5k", budget=budget, cache=Path(sys.argv[1]))
config = StudyConfig(
    objectives=("acc", "pgd", "bops"),
    space=load_space("tiny"),
    protocol=evaluator.protocol,
    budget=budget,
)

def hear(event):
    if isinstance(event, TrialStarted):
        raise KeyboardInterrupt

Study.open(tempfile.mkdtemp(dir=sys.argv[1]), config).run(evaluator, Stop(trials=40), hear)
"""
"""Ends where the first trial would begin."""


class Formula:
    """Answers like an evaluator, without a network: more bit operations are better up to a point."""

    protocol = Protocol(dataset="formula", checksum="0", network="mnistconv", epsilon=0.2)
    budget = Budget()
    prices = Prices.of(budget, train_images=3200)

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """The real costs: they are a part of the search."""
        plan = Plan(shape=(1, 28, 28), classes=10, width=candidate.width)
        return cost_measurements(cost_report(candidate, self.protocol.network, plan))

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """Accuracies that grow with the bit operations, with a different luck for each candidate."""
        values = {"acc": self._clean(candidate), "pgd": 0.9 - 0.1 * candidate.input_bits * luck(candidate)}
        for name in names:
            yield name, Measurement(value=values[name], unit=OBJECTIVES[name].unit, stderr=0.01, n=400)

    def free_accuracy(self, candidates: Sequence[Candidate]) -> list[Measurement | None]:
        """That of all, as of trained members."""
        return [Measurement(value=self._clean(one), unit="fraction", stderr=0.01, n=400) for one in candidates]

    def _clean(self, candidate: Candidate) -> float:
        return 1 - 0.5 / (1 + self.cost(candidate)["bops"].value / 2e7) - 0.05 * luck(candidate)


def luck(candidate: Candidate) -> float:
    """From 0 to 1, always the same."""
    return int(candidate.key(), 16) / 16**16


def config(kind: str) -> StudyConfig:
    return StudyConfig(
        objectives=OBJECTIVE_NAMES,
        space=load_space("mnist"),
        protocol=Formula.protocol,
        budget=Formula.budget,
        **KINDS[kind],
    )


def trial_seconds(folder: Path, kind: str, trials: int) -> tuple[list[float], float]:
    """Seconds of each trial, duplicates included, and of the files and pictures at the end."""
    told: list[float] = [time.perf_counter()]
    study = Study.open(folder, config(kind))

    with redirect_stderr(StringIO()), progress(OBJECTIVE_NAMES) as show:

        def hear(event: Event) -> None:
            show(event)
            if isinstance(event, TrialFinished):
                told.append(time.perf_counter())

        study.run(Formula(), Stop(trials=trials), hear)
    began = time.perf_counter()
    write_outputs(study)
    draw_pictures(study)
    seconds = [after - before for before, after in pairwise(told)]
    return seconds[1:], time.perf_counter() - began  # the first one sets the study up


def summary(seconds: list[float], leaving: float) -> dict[str, float]:
    """How long a trial takes at the start and at the end of a study, and what it grows by."""
    slope, _ = linear_regression(range(len(seconds)), seconds)
    return {
        "trials": len(seconds),
        "first": median(seconds[:ENDS]),
        "last": median(seconds[-ENDS:]),
        "mean": mean(seconds),
        "slope": slope,
        "files and pictures": leaving,
    }


def real_seconds(folder: Path) -> float:
    """Median seconds of a real trial: the default run on the 5,000 digits, nothing trained before."""
    evaluator = open_evaluator(dataset="mnist5k", cache=folder / "cache")
    real = replace(config("random"), protocol=evaluator.protocol, budget=evaluator.budget, space=load_space("tiny"))
    study = Study.open(folder / "study", real)
    study.run(evaluator, Stop(trials=REAL_TRIALS))
    return median(record.seconds for record in study.records() if record.state == "complete")


def start_seconds(words: Sequence[str]) -> float:
    """Seconds of the fastest of a few processes."""
    best = float("inf")
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        best = min(best, time.perf_counter() - began)
    return best


def starts() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return {
            "--help": start_seconds(["-m", "search", "--help"]),
            "first trial": start_seconds(["-c", FIRST, folder]),
        }


def overheads(trials: int) -> dict[str, dict[str, float]]:
    """A study of each kind, and what a trial's overhead is of a real one."""
    with tempfile.TemporaryDirectory() as folder:
        real = real_seconds(Path(folder))
    found = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            one = summary(*trial_seconds(Path(folder), kind, trials))
        found[kind] = one | {"real trial": real, "share": one["mean"] / real}
        print(kind, {name: round(value, 6) for name, value in found[kind].items()}, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--startup", action="store_true", help="only how long --help and the first trial wait")
    parser.add_argument("--trials", type=int, default=1000)
    args = parser.parse_args()
    found = {"starts": starts()}
    print({name: round(value, 3) for name, value in found["starts"].items()}, flush=True)
    if not args.startup:
        save("overhead", found | {"studies": overheads(args.trials)})


if __name__ == "__main__":
    main()
