"""Measure every candidate of a small space once: the table that searches are compared on.

Members are trained once, each on its own; then every candidate is attacked. Seconds are those of the processor, of one
thread, stage by stage, so that other work on the machine does not count. What was measured is appended to a file of
lines, and found there by the next call; `pack.py` makes the table of them.

    OMP_NUM_THREADS=1 python benchmarks/table/measure.py --table mnist5k --seed 0 --out runs/table
    OMP_NUM_THREADS=1 python benchmarks/table/measure.py --table mnist5k --seed 1 --out runs/table
    python benchmarks/table/pack.py --table mnist5k --lines runs/table --seeds 0 1

That of CIFAR-10 is of its first images: `python benchmarks/table/cut.py cifar10.npz cifar5k.npz`, once.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from plan import PLANS

from evaluators.evaluator import Evaluator
from evaluators.members import MemberSpec
from evaluators.objectives import BOUND
from evaluators.opening import open_evaluator
from space.candidate import Candidate
from studies.replay import member_names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=PLANS, default="mnist5k")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/table"))
    parser.add_argument("--cache", type=Path, default=Path("runs/table/members"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = PLANS[args.table]
    evaluator = open_evaluator(
        dataset=plan.dataset,
        network=plan.network,
        epsilon=plan.epsilon,
        seed=args.seed,
        budget=plan.budget,
        cache=args.cache,
    )
    args.out.mkdir(parents=True, exist_ok=True)
    lines = args.out / f"{args.table}-{args.seed}.jsonl"
    candidates = [*plan.space.enumerate()]
    _train(evaluator, candidates, lines)
    _attack(evaluator, candidates, lines)


def _train(evaluator: Evaluator, candidates: list[Candidate], lines: Path) -> None:
    """Train every member that a candidate needs, and answer with it under every mapping."""
    done = {one["member"] for one in _read(lines) if "member" in one}
    evaluator.ensemble(Candidate.parse(evaluator.protocol.source))  # what adversaries are transferred from; not timed
    specs: dict[str, MemberSpec] = {}
    for candidate in candidates:
        specs |= dict(zip(member_names(candidate), evaluator.specs(candidate), strict=True))
    for name, spec in specs.items():
        if name in done:
            continue
        if evaluator.pool.store.holds(spec.key()):
            raise SystemExit(
                f"{name} is in the cache already, so that its training can't be timed: name another --cache"
            )
        began = time.process_time()
        evaluator.pool.obtain(spec)
        trained = time.process_time()
        evaluator.answers.obtain(spec)
        seconds = {"training": trained - began, "clean": time.process_time() - trained}
        _append(lines, {"member": name, "seconds": seconds})


def _attack(evaluator: Evaluator, candidates: list[Candidate], lines: Path) -> None:
    """Measure every candidate, in an order of chance, so that a table which is not finished is a fair sample."""
    done = {one["candidate"] for one in _read(lines) if "candidate" in one}
    random.Random(0).shuffle(candidates)
    for number, candidate in enumerate(candidates):
        if str(candidate) not in done:
            _append(lines, _row(evaluator, candidate))
        if not number % 20:
            print(time.strftime("%H:%M:%S"), number, "of", len(candidates), flush=True)


def _row(evaluator: Evaluator, candidate: Candidate) -> dict[str, Any]:
    row: dict[str, Any] = {"candidate": str(candidate), "bounds": [], "seconds": {"bounds": []}}
    costs = evaluator.cost(candidate)
    row["costs"] = {name: one.value for name, one in costs.items()}
    evaluator.free_accuracy([candidate])  # a member's answers under a mapping are computed once for many candidates
    last = time.process_time()
    for name, one in evaluator.measure(candidate, ("acc", "pgd")):
        hits, seconds = round(one.value * one.n), time.process_time() - last
        last += seconds
        if name == BOUND:
            row["bounds"].append(hits)
            row["seconds"]["bounds"].append(round(seconds, 3))
        else:
            row |= {name: [hits, one.n]} | ({"flags": one.flags} if one.flags else {})
            row["seconds"][name] = round(seconds, 3)
    return row


def _read(lines: Path) -> Iterator[dict[str, Any]]:
    if lines.exists():
        yield from map(json.loads, lines.read_text().splitlines())


def _append(lines: Path, line: dict[str, Any]) -> None:
    with lines.open("a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
