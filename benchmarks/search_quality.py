"""How soon a search finds the front: ours against Optuna's own samplers, on recorded tables with a virtual clock.

Every contestant searches the same table from the same start, an empty cache, with the seeds that are asked for.
Optuna's have their defaults, in a loop as its tutorials write it: every candidate is trained and attacked to the end.
They share our evaluator: a member that was trained is there for the next candidate, and the same candidate again costs
nothing.

    python benchmarks/search_quality.py --seeds 10
"""

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from timing import RESULTS, save

from evaluators.verdict import worst
from space import Candidate
from studies.bounds import Bounds
from studies.config import Stop, StudyConfig
from studies.expected import expected_gains
from studies.replay import Replay, Table
from studies.study import Study
from studies.terms import USUAL
from studies.volume import hypervolume

HERE = Path(__file__).parent
OBJECTIVES = ("acc", "pgd", "bops")
NOISE = (0.012, 0.030, 0.0)
"""Standard deviations of the objectives from seed to seed, as `front_truth` finds them."""

SHARE = 0.95
"""Of the table's hypervolume, that a search is to reach."""

Trace = list[tuple[int, float, float]]
"""Evaluations, virtual seconds and hypervolume after each evaluation."""


@dataclass(frozen=True)
class Job:
    """One search.

    Attributes:
        table: its name.
        contestant: one of CONTESTANTS.
        seed: of the search; the table's seeds take turns.
        trials: evaluations after which it ends.
    """

    table: str
    contestant: str
    seed: int
    trials: int


@dataclass(frozen=True)
class Known:
    """A table, and what can be reached on it.

    Attributes:
        bounds: of its costs.
        best: its hypervolume, for each of its seeds.
    """

    table: Table
    bounds: Bounds
    best: tuple[float, ...]


@cache
def known(name: str) -> Known:
    table = Table.load(HERE / "table" / f"{name}.json.gz" if "/" not in name else Path(name))
    bops = [costs["bops"] for costs in table.costs.values()]
    bounds = Bounds({"bops": (min(bops), max(bops))})
    volumes = []
    for seed, rows in enumerate(table.rows):
        points = [_values(table, seed, text) for text in rows if _trusted(table, seed, text)]
        volumes.append(volume_of(bounds, points))
    return Known(table, bounds, tuple(volumes))


def _values(table: Table, seed: int, text: str) -> list[float]:
    found = {name: one.value for name, one in table.rows[seed][text].measured()}
    return [found["acc"], found["pgd"], table.costs[text]["bops"]]


def _trusted(table: Table, seed: int, text: str) -> bool:
    """Whether its robust accuracy may be on a front; for every contestant alike."""
    return USUAL.trusts(worst(table.rows[seed][text].flags))


def volume_of(bounds: Bounds, points: list[list[float]]) -> float:
    values = np.array(points).reshape(len(points), len(OBJECTIVES))
    return hypervolume(bounds.normalise(values, OBJECTIVES), np.ones(len(OBJECTIVES)))


def plain(job: Job, make: Callable[[int], optuna.samplers.BaseSampler], *, kept: bool = True) -> Trace:
    """Optuna as its tutorials use it; with our store of members, or as a script without one."""
    found = known(job.table)
    seed = job.seed % len(found.best)
    replay, space = Replay(found.table, seed, kept=kept), found.table.space
    memo: dict[str, list[float]] = {}
    trace: Trace = []
    points: list[list[float]] = []

    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        candidate = space.sample(trial)
        text = str(candidate)
        if text not in memo:
            list(replay.measure(candidate, ("acc", "pgd")))
            memo[text] = _values(found.table, seed, text)
        if _trusted(found.table, seed, text):
            points.append(memo[text])
        trace.append((len(trace) + 1, replay.seconds, volume_of(found.bounds, points)))
        return tuple(memo[text])

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(directions=["maximize", "maximize", "minimize"], sampler=make(job.seed))
        study.optimize(objective, n_trials=job.trials)
    return trace


def ours(job: Job, **changes: Any) -> Trace:
    """A study as `python -m search` runs it."""
    found = known(job.table)
    seed = job.seed % len(found.best)
    replay = Replay(found.table, seed)
    config = StudyConfig(
        objectives=OBJECTIVES,
        space=found.table.space,
        protocol=replay.protocol,
        budget=replay.budget,
        seed=job.seed,
        **changes,
    )
    with tempfile.TemporaryDirectory() as folder:
        study = Study.open(Path(folder), config)
        study.run(replay, Stop(trials=job.trials), clock=replay.clock)
        records = study.records()
    trace: Trace = []
    points: list[list[float]] = []
    for record in (one for one in records if one.evaluated):
        if record.state == "complete" and _trusted(found.table, seed, record.candidate):
            points.append([record.measurements[name].value for name in OBJECTIVES])
        trace.append((len(trace) + 1, record.at, volume_of(found.bounds, points)))
    return trace


def knowing(job: Job) -> Trace:
    """Who has the other seed's whole table, and so knows all but this seed's noise: a bound for who must learn it."""
    found = known(job.table)
    seed = job.seed % len(found.best)
    replay, names = Replay(found.table, seed), sorted(found.table.costs)
    told = np.array([_values(found.table, (seed + 1) % len(found.best), name) for name in names])
    losses = found.bounds.normalise(told, OBJECTIVES)
    deviations = np.broadcast_to(NOISE, losses.shape)
    trace: Trace = []
    points: list[list[float]] = []
    left = list(range(len(names)))
    while left and len(trace) < job.trials:
        front = found.bounds.normalise(np.array(points).reshape(len(points), len(OBJECTIVES)), OBJECTIVES)
        gains = expected_gains(front, losses[left], deviations[left])
        spent = np.array([_seconds(found.table, replay, seed, names[one]) for one in left])
        chosen = left.pop(int((gains / spent).argmax()))
        list(replay.measure(Candidate.parse(names[chosen]), ("acc", "pgd")))
        if _trusted(found.table, seed, names[chosen]):
            points.append(_values(found.table, seed, names[chosen]))
        trace.append((len(trace) + 1, replay.seconds, volume_of(found.bounds, points)))
    return trace


def _seconds(table: Table, replay: Replay, seed: int, text: str) -> float:
    """What a candidate takes: its attack, and the trainings that no earlier one had."""
    training = sum(table.members[seed][name] for name in replay.missing(Candidate.parse(text)))
    return training + sum(seconds for *_, seconds in table.rows[seed][text].steps)


def _random(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.RandomSampler(seed=seed)


CONTESTANTS: dict[str, Callable[[Job], Trace]] = {
    "ours": ours,
    "Optuna TPE": lambda job: plain(job, lambda seed: optuna.samplers.TPESampler(seed=seed)),
    "Optuna NSGA-II": lambda job: plain(job, lambda seed: optuna.samplers.NSGAIISampler(seed=seed)),
    "Optuna GP": lambda job: plain(job, lambda seed: optuna.samplers.GPSampler(seed=seed)),
    "Optuna random": lambda job: plain(job, _random),
    "Optuna TPE, no store": lambda job: plain(job, lambda seed: optuna.samplers.TPESampler(seed=seed), kept=False),
    "Optuna random, no store": lambda job: plain(
        job, lambda seed: optuna.samplers.RandomSampler(seed=seed), kept=False
    ),
    "ours, trials to their end": lambda job: ours(job, full=True),
    "ours, known members alone": lambda job: ours(job, proposals="pool"),
    "ours, sampler alone": lambda job: ours(job, proposals="off"),
    "ours, TPE sampler": lambda job: ours(job, sampler="tpe"),
    "who knows the other seed": knowing,
}
"""By name: who searches a table."""


def run(job: Job) -> tuple[Job, Trace, float]:
    """A search, and the seconds that it really took."""
    began = time.perf_counter()
    return job, CONTESTANTS[job.contestant](job), time.perf_counter() - began


def searched(jobs: list[Job], processes: int) -> Iterator[tuple[Job, Trace, float]]:
    """All searches, as they end."""
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, jobs)


def seconds_to(trace: Trace, volume: float) -> float:
    """Virtual seconds until a hypervolume is reached, infinite where it never is."""
    return next((seconds for _, seconds, reached in trace if reached >= volume), float("inf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="mnist5k")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--gp-trials", type=int, default=80, help="of Optuna's GP, which takes seconds for each")
    parser.add_argument("--contestants", nargs="+", default=[*CONTESTANTS], choices=CONTESTANTS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-save", action="store_true")
    parser.add_argument("--keep", action="store_true", help="what was saved of other contestants, by the same seeds")
    args = parser.parse_args()
    jobs = [
        Job(args.table, name, seed, args.gp_trials if name == "Optuna GP" else args.trials)
        for name in args.contestants
        for seed in range(args.seeds)
    ]
    result = measured(args.table, jobs, args.processes)
    for name in args.contestants:
        print(line_of(name, result), flush=True)
    if not args.no_save:
        write(result, keep=args.keep)


def measured(table: str, jobs: list[Job], processes: int) -> dict[str, Any]:
    """Every search, with the virtual seconds until it reached its share of what the table holds."""
    best = known(table).best
    result: dict[str, Any] = {"table": table, "best": best, "share": SHARE, "searches": []}
    for job, trace, spent in searched(jobs, processes):
        reached = seconds_to(trace, SHARE * best[job.seed % len(best)])
        result["searches"].append({**vars(job), "reached": reached, "spent": spent, "trace": trace})
    return result


def line_of(name: str, result: Mapping[str, Any]) -> str:
    """What is printed of a contestant: medians and quartiles over its seeds."""
    mine, best = [one for one in result["searches"] if one["contestant"] == name], result["best"]
    reached = [one["reached"] for one in mine]
    low, high = np.quantile(reached, 0.25, method="lower"), np.quantile(reached, 0.75, method="higher")
    parts = [f"{name:20} to 95 %: median {np.median(reached):7.0f} s, quartiles {low:7.0f} {high:7.0f}"]
    for count in (25, 50, 100):
        shares = [_at(one["trace"], count) / best[one["seed"] % len(best)] for one in mine]
        parts.append(f"hv@{count} " + "/".join(f"{share:.3f}" for share in np.quantile(shares, (0.25, 0.5, 0.75))))
    virtual, real = (np.mean([one["trace"][-1][1] for one in mine]), np.mean([one["spent"] for one in mine]))
    return "; ".join([*parts, f"{virtual:6.0f} s in all, really {real:5.1f} s"])


def write(result: dict[str, Any], *, keep: bool) -> None:
    """Save what was measured, beside what was saved of other contestants or in place of everything."""
    for one in result["searches"]:
        one["trace"] = events(one["trace"])
        one["reached"] = one["reached"] if one["reached"] < float("inf") else None  # JSON knows no infinity
    name = "search_quality" if result["table"] == "mnist5k" else f"search_quality_{result['table']}"
    if keep:
        fresh = {one["contestant"] for one in result["searches"]}
        before = json.loads((RESULTS / f"{name}.json").read_text())["searches"]
        result["searches"] += [one for one in before if one["contestant"] not in fresh]
    order = [*CONTESTANTS]
    result["searches"].sort(key=lambda one: (order.index(one["contestant"]), one["seed"]))
    save(name, result)


def events(trace: Trace) -> Trace:
    """Where the hypervolume grew, and the end; rounded."""
    grown = [one for before, one in zip([(0, 0.0, 0.0), *trace], trace, strict=False) if one[2] > before[2]]
    return [(count, round(seconds, 1), round(volume, 5)) for count, seconds, volume in (*grown, trace[-1])]


def _at(trace: Trace, evaluations: int) -> float:
    return trace[min(evaluations, len(trace)) - 1][2]


if __name__ == "__main__":
    main()
