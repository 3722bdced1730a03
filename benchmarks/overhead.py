"""What a search itself takes: sampler, storage, records, files and pictures, at 1,000 trials; and the start.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --startup

Candidates are answered by a formula at once, so that all time is the search's own. A real trial beside it, members
trained and attacked, says which share that is. Each trial's time runs from one told trial to the next.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, mean, median

from evaluators.base import Budget, Measurement, Protocol
from evaluators.cost.report import cost_measurements, cost_report
from evaluators.networks.plan import Plan
from evaluators.objectives import OBJECTIVES
from search.pictures import draw_pictures
from search.progress import progress
from space import Candidate, load_space
from studies import Event, Stop, Study, StudyConfig, TrialFinished, write_outputs

OBJECTIVE_NAMES = ("acc", "pgd", "bops")
ENDS = 100
"""Trials at either end that are compared."""

REAL = ("--objectives", ",".join(OBJECTIVE_NAMES), "--trials", "8", "--quiet-cache")


class Formula:
    """Answers like an evaluator, without a network: more bit operations are better up to a point."""

    protocol = Protocol(dataset="formula", checksum="0", network="mnistconv", epsilon=0.2)
    budget = Budget()

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """The real costs: they are a part of the search."""
        plan = Plan(shape=(1, 28, 28), classes=10, width=candidate.width)
        return cost_measurements(cost_report(candidate, self.protocol.network, plan))

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """Accuracies that grow with the bit operations, with a different luck for each candidate."""
        bops, luck = self.cost(candidate)["bops"].value, int(candidate.key(), 16) / 16**16
        values = {"acc": 1 - 0.5 / (1 + bops / 2e7) - 0.05 * luck, "pgd": 0.9 - 0.1 * candidate.input_bits * luck}
        for name in names:
            yield name, Measurement(value=values[name], unit=OBJECTIVES[name].unit, stderr=0.01, n=400)


def config(sampler: str) -> StudyConfig:
    return StudyConfig(
        objectives=OBJECTIVE_NAMES,
        space=load_space("mnist"),
        protocol=Formula.protocol,
        budget=Formula.budget,
        sampler=sampler,
    )


def trial_seconds(folder: Path, sampler: str, trials: int) -> tuple[list[float], float]:
    """Seconds of each trial, duplicates included, and of the files and pictures at the end."""
    told: list[float] = [time.perf_counter()]
    study = Study.open(folder, config(sampler))

    with redirect_stderr(StringIO()), progress(OBJECTIVE_NAMES) as show:

        def hear(event: Event) -> None:
            show(event)
            if isinstance(event, TrialFinished):
                told.append(time.perf_counter())

        study.run(Formula(), Stop(trials=trials), hear)
    began = time.perf_counter()
    selection = write_outputs(study)
    draw_pictures(study, selection.chosen.number if selection else None)
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
