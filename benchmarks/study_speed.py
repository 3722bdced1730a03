"""One study, ours and the yardstick's: how long each takes to the same hypervolume, and how much each evaluates.

    python benchmarks/study_speed.py --name study_speed_mnistconv_own_budget
    python benchmarks/study_speed.py --epochs 2 --train-images 1000 --images 64 --restarts 5

Both search the same space on the same images with the same networks, recipe, budget and thread, one after the other.
The yardstick (benchmarks/plain) goes first; ours starts with an empty cache. Both are judged by what both measure
alike: accuracy on all validation images and accuracy under plain PGD on the first of them, with bit operations on the
scale of the study. So the comparison is of equal evidence. A third run is ours with its worst case as the objective,
which does more work: it is judged by the plain PGD that comes with it. Each runs in a process of its own, the
yardstick with the system's allocator as it is.

A run that has not reached the yardstick's hypervolume after as many trials goes on until it has, or until it has
taken as long. Seconds are of the clock on the wall, and of the processor, which other processes disturb less.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from plain.study import Task, search
from timing import save

from evaluators import Budget, Evaluator, open_evaluator, opening
from space import Candidate, SearchSpace, load_space
from studies import Bounds, Event, Stop, Study, StudyConfig, TrialFinished, hypervolume

JUDGED_BY = ("acc", "pgd_naive", "bops")
RUNS = {"ours": "pgd_naive", "ours, worst case": "pgd"}
"""Our runs, and the accuracy under attack that each optimises."""
SHARES = (0.9, 0.95, 0.99, 1.0)
"""Of the yardstick's final hypervolume."""
CLOCKS = ("wall", "processor")
Result = TypeVar("Result")
SPACE = Path(__file__).parent / "study_space.toml"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One evaluated candidate: its values in the order of JUDGED_BY, and when they were known, in seconds."""

    candidate: str
    values: tuple[float, ...]
    wall: float
    processor: float


@dataclass
class Watch:
    """Notes what is evaluated, and when."""

    trials: list[Trial] = field(default_factory=list)
    wall: float = field(default_factory=time.perf_counter)
    processor: float = field(default_factory=time.process_time)

    def note(self, candidate: str, values: Sequence[float]) -> None:
        """A candidate was evaluated just now."""
        wall, processor = time.perf_counter() - self.wall, time.process_time() - self.processor
        self.trials.append(Trial(candidate=candidate, values=tuple(values), wall=wall, processor=processor))
        print(f"{len(self.trials)} trials in {wall:.0f} s: {candidate}", file=sys.stderr, flush=True)

    def hear(self, event: Event) -> None:
        """Note the candidate of a finished trial of ours."""
        if isinstance(event, TrialFinished) and event.record.state == "complete":
            measured = event.record.measurements
            self.note(event.record.candidate, [measured[name].value for name in JUDGED_BY])


def volumes(trials: Sequence[Trial], bounds: Bounds) -> list[float]:
    """Hypervolume after each trial: losses in [0, 1], bit operations on a logarithmic scale, reference (1, 1, 1)."""
    values = np.array([trial.values for trial in trials])
    losses = bounds.normalise(values, JUDGED_BY)
    return [hypervolume(losses[: count + 1], np.ones(len(JUDGED_BY))) for count in range(len(losses))]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What both sides are given."""

    evaluator: Evaluator
    space: SearchSpace
    trials: int
    seed: int
    folder: Path

    def plain(self) -> list[Trial]:
        """The yardstick's trials."""
        budget, protocol = self.evaluator.budget, self.evaluator.protocol
        task = Task(data=self.evaluator.data, network=protocol.network, epsilon=protocol.epsilon, **asdict(budget))
        watch = Watch()
        search(task, self.space, self.trials, self.seed, lambda one, values: watch.note(str(one), [*values.values()]))
        return watch.trials

    def study(self, attacked: str) -> Study:
        """Ours, not run yet."""
        config = StudyConfig(
            objectives=("acc", attacked, "bops"),
            space=self.space,
            protocol=self.evaluator.protocol,
            budget=self.evaluator.budget,
            seed=self.seed,
            full=True,  # as the yardstick: every candidate to its end
        )
        return Study.open(self.folder / attacked, config)

    def ours(self, attacked: str, rival: Sequence[Trial]) -> tuple[list[Trial], Bounds]:
        """Our trials, at least as many, and more while the rival is ahead and took longer; and the study's bounds."""
        watch, study = Watch(), self.study(attacked)
        wanted = self.trials
        while True:
            stopped = study.run(self.evaluator, Stop(trials=wanted), watch.hear)
            bounds = study.bounds
            assert bounds is not None
            behind = volumes(watch.trials, bounds)[-1] < volumes(rival, bounds)[-1]
            if not behind or stopped.reason != "trials" or watch.trials[-1].wall > rival[-1].wall:
                return watch.trials, bounds
            wanted += 1


def seconds_to(level: float, trials: Sequence[Trial], curve: Sequence[float], clock: str) -> float | None:
    """When a curve reached a level; None if it never did."""
    return next((getattr(one, clock) for one, volume in zip(trials, curve, strict=True) if volume >= level), None)


def rate(trials: Sequence[Trial], count: int, clock: str) -> float:
    """Candidates an hour, over the first `count` trials."""
    return 3600 * count / float(getattr(trials[count - 1], clock))


def compared(
    name: str, runs: dict[str, list[Trial]], curves: dict[str, list[float]], count: int
) -> list[dict[str, Any]]:
    """One of our runs beside the yardstick's: a row for each clock."""
    rows, goal = [], curves["plain"][-1]
    for clock in CLOCKS:
        times = {
            share: [seconds_to(share * goal, runs[one], curves[one], clock) for one in ("plain", name)]
            for share in SHARES
        }
        rows.append(
            {
                "run": name,
                "clock": clock,
                "seconds to the yardstick's hypervolume": times[1.0],
                "ratio": quotient(*times[1.0]),
                "ratio to a share of it": {share: quotient(*pair) for share, pair in times.items()},
                "yardstick's seconds to ours": seconds_to(curves[name][-1], runs["plain"], curves["plain"], clock),
                "candidates an hour": [rate(runs[one], count, clock) for one in ("plain", name)],
                "ratio of candidates": rate(runs[name], count, clock) / rate(runs["plain"], count, clock),
            }
        )
    return rows


def quotient(theirs: float | None, ours: float | None) -> float | None:
    """How many times our time the yardstick took; None where we never got there."""
    return None if theirs is None or ours is None else theirs / ours


def entered(args: argparse.Namespace, seed: int, folder: Path) -> Contest:
    """What one side is given; `folder` is its own, so that it starts with an empty cache."""
    evaluator = open_evaluator(
        dataset=args.dataset,
        network=args.network,
        epsilon=args.epsilon,
        seed=seed,
        budget=Budget(**{name: getattr(args, name) for name in Budget.__dataclass_fields__}),
        device="cpu",
        cache=folder / "cache",
    )
    return Contest(evaluator=evaluator, space=load_space(args.space), trials=args.trials, seed=seed, folder=folder)


def run_plain(args: argparse.Namespace, seed: int, folder: Path) -> list[Trial]:
    """The yardstick's trials."""
    torch.set_num_threads(1)
    opening.keep_freed_memory = lambda: False  # what opens an evaluator for ours is not for the yardstick
    return entered(args, seed, folder).plain()


def run_ours(
    args: argparse.Namespace, seed: int, folder: Path, attacked: str, rival: Sequence[Trial]
) -> tuple[list[Trial], Bounds]:
    """Our trials, and the bounds of the study."""
    torch.set_num_threads(1)
    return entered(args, seed, folder).ours(attacked, rival)


def alone(run: Callable[..., Result], *given: Any) -> Result:
    """What a function returns, called in a new process."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(run, *given).result()


def contest(args: argparse.Namespace, seed: int, folder: Path) -> dict[str, Any]:
    """All runs with one seed; tells how each of ours went as soon as it is over."""
    runs = {"plain": alone(run_plain, args, seed, folder / "plain")}
    curves: dict[str, list[float]] = {}
    rows: list[dict[str, Any]] = []
    print(f"seed {seed}: the yardstick took {runs['plain'][-1].wall:.0f} s", flush=True)
    for name in args.runs:
        runs[name], bounds = alone(run_ours, args, seed, folder / name, RUNS[name], runs["plain"])
        curves |= {one: volumes(runs[one], bounds) for one in ("plain", name)}
        latest = compared(name, runs, curves, args.trials)
        print(*(told(row, curves) for row in latest), sep="\n", flush=True)
        rows += latest
    points = {
        name: [asdict(one) | {"hypervolume": volume} for one, volume in zip(runs[name], curve, strict=True)]
        for name, curve in curves.items()
    }
    return {"seed": seed, "rows": rows, "distinct": distinct(runs), "curves": points}


def distinct(runs: dict[str, list[Trial]]) -> dict[str, int]:
    """Different candidates of each run: the yardstick evaluates some twice."""
    return {name: len({Candidate.parse(one.candidate).key() for one in trials}) for name, trials in runs.items()}


def told(row: dict[str, Any], curves: dict[str, list[float]]) -> str:
    """A row as a person reads it."""
    shares = ", ".join(f"{share:.0%}: {shown(value)}" for share, value in row["ratio to a share of it"].items())
    final = f"{curves['plain'][-1]:.4f} and {curves[row['run']][-1]:.4f}"
    return (
        f"  {row['run']}, {row['clock']} clock: times as fast to the yardstick's hypervolume {shown(row['ratio'])}"
        f" ({shares}); candidates an hour {shown(row['ratio of candidates'])}; final hypervolumes {final}"
    )


def shown(ratio: float | None) -> str:
    return "never" if ratio is None else f"{ratio:.1f}"


def typical(ratios: Sequence[float | None]) -> float | None:
    """Geometric mean; None where one is missing."""
    known = [math.log(ratio) for ratio in ratios if ratio is not None]
    return math.exp(sum(known) / len(known)) if len(known) == len(ratios) else None


def summary(results: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Over the seeds."""
    for rows in zip(*(result["rows"] for result in results), strict=True):
        yield {
            "run": rows[0]["run"],
            "clock": rows[0]["clock"],
            "ratio": typical([row["ratio"] for row in rows]),
            "ratio of candidates": typical([row["ratio of candidates"] for row in rows]),
        }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist5k")
    parser.add_argument("--network", default="mnistconv", choices=["mnistconv", "resnet20"])
    parser.add_argument("--space", default=str(SPACE), help="without pruned, BinaryNet and mixed precisions")
    parser.add_argument("--epsilon", type=float, help="0.2 for grey images, 8/255 for colour where left out")
    parser.add_argument("--trials", type=int, default=40)
    for name, default in asdict(Budget()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=default, help="the product's own if left out"
        )
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=list(RUNS), help="of ours")
    parser.add_argument("--name", help="of the file of results; study_speed_NETWORK where left out")
    parser.add_argument("--dry", action="store_true", help="write no results")
    return parser.parse_args()


def main() -> None:
    args = parsed()
    torch.set_num_threads(1)
    results = []
    for seed in args.seed:
        with tempfile.TemporaryDirectory() as folder:
            results.append(contest(args, seed, Path(folder)))
    overall = list(summary(results))
    for row in overall:
        print(f"{row['run']}, {row['clock']}: {shown(row['ratio'])} and {shown(row['ratio of candidates'])}")
    if not args.dry:
        settings = {name: value for name, value in vars(args).items() if name not in ("dry", "name")}
        settings |= {name: Path(settings[name]).name for name in ("dataset", "space")}
        save(args.name or f"study_speed_{args.network}", {"settings": settings, "summary": overall, "results": results})


if __name__ == "__main__":
    main()
