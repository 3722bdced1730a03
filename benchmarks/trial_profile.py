"""Where the seconds of one trial go: the yardstick's, ours with nothing known, and ours once the members are.

    python benchmarks/trial_profile.py

One candidate at the default budget. Ours measures the worst case where the yardstick runs plain PGD; plain PGD alone is
told apart. Processor seconds of one thread.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from plain.attack import Ensemble
from plain.data import judging_loader
from plain.study import Task, as_arrays
from plain.train import accuracy
from timing import save

from evaluators import Budget, Evaluator, open_evaluator
from space import Candidate

Laps = dict[str, float]


class Stopwatch:
    """Tells how long each stage took."""

    def __init__(self) -> None:
        self._last = time.process_time()

    def lap(self) -> float:
        """Processor seconds since the last call."""
        now = time.process_time()
        passed, self._last = now - self._last, now
        return passed


def plain(task: Task, candidate: Candidate) -> Laps:
    """The yardstick's trial."""
    watch = Stopwatch()
    model: Ensemble = task.ensemble(candidate)
    laps = {"training": watch.lap()}
    accuracy(model, judging_loader(*as_arrays(task.data.validation)))
    laps["clean accuracy"] = watch.lap()
    for images, labels in judging_loader(*as_arrays(task.data.validation.head(task.images))):
        task.standing(model, images, labels)
    return laps | {"plain PGD": watch.lap()}


def ours(evaluator: Evaluator, candidate: Candidate) -> Iterator[tuple[str, float]]:
    """Our trial, stage by stage; members that the cache has are not trained."""
    watch = Stopwatch()
    evaluator.ensemble(candidate)
    yield "training", watch.lap()
    list(evaluator.measure(candidate, ("acc",)))
    yield "clean accuracy", watch.lap()
    list(evaluator.measure(candidate, ("pgd_naive",)))
    yield "plain PGD", watch.lap()
    evaluator.ensemble(Candidate.parse(evaluator.protocol.source))  # a search trains it once
    watch.lap()
    list(evaluator.measure(candidate, ("pgd",)))
    yield "worst case", watch.lap()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("candidate", nargs="?", default="fp+mbn3x3:majority:x0.5")
    parser.add_argument("--dataset", default="mnist5k")
    parser.add_argument("--network", default="mnistconv")
    args = parser.parse_args()

    torch.set_num_threads(1)
    candidate, budget = Candidate.parse(args.candidate), Budget()
    with tempfile.TemporaryDirectory() as folder:
        evaluator = open_evaluator(
            dataset=args.dataset, network=args.network, budget=budget, cache=Path(folder), device="cpu"
        )
        protocol = evaluator.protocol
        task = Task(data=evaluator.data, network=protocol.network, epsilon=protocol.epsilon, **asdict(budget))
        trials = {
            "the yardstick": plain(task, candidate),
            "ours, nothing known": dict(ours(evaluator, candidate)),
            "ours, members known": dict(ours(evaluator, candidate)),
        }
    for name, laps in trials.items():
        print(f"{name:20}", "  ".join(f"{stage} {seconds:.2f} s" for stage, seconds in laps.items()))
    save("trial_profile", {"settings": vars(args) | {"dataset": Path(args.dataset).name}, "seconds": trials})


if __name__ == "__main__":
    main()
