"""How soon a search finds the front: ours against Optuna's own samplers, on recorded tables with a virtual clock.

Every contestant searches the same table from the same start, an empty cache, with the seeds that are asked for.
Optuna's have their defaults, in a loop as its tutorials write it: every candidate is trained and attacked to the end.
They share our evaluator: a member that was trained is there for the next candidate, and the same candidate again costs
nothing.

    python benchmarks/search_quality.py --seeds 10
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from contestants import CONTESTANTS, Job, Trace
from known_tables import known
from timing import RESULTS, save

SHARE = 0.95
"""Of the table's hypervolume, that a search is to reach."""


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
