"""Proposals from the pool: what they cost to find, and the seconds to the same hypervolume with and without them.

    python benchmarks/pool.py [SEED ...]

Pairs of studies on mnist5k, each with a cache of its own; processor seconds of this process, on one thread. A study
ends after SECONDS; the volume that both of a pair are timed to is the lower of their last ones.
"""

import sys
import time
from math import exp, log
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import torch
from timing import fastest, save

from evaluators import Budget, open_evaluator
from evaluators.evaluator import Evaluator
from space import Candidate, load_space
from studies import Event, Stop, Study, StudyConfig, TrialFinished, hypervolume_trace
from studies.proposals.proposer import Proposer

SECONDS = 150.0
BUDGET = Budget(epochs=2, train_images=1600, images=32, steps=4)
MEMBERS = ("fp", "pact4", "xnor", "mbn2x1", "mbn1x3")
Curve = list[tuple[float, float]]
"""Seconds and the hypervolume reached by then."""


def opened(cache: Path, seed: int) -> Evaluator:
    return open_evaluator(dataset="mnist5k", seed=seed, budget=BUDGET, cache=cache)


def run(folder: Path, seed: int, proposals: str) -> tuple[dict[str, Any], Curve]:
    """A study: where its records come from and what they took, and how its hypervolume grew."""
    evaluator = opened(folder / "cache", seed)
    config = StudyConfig(
        objectives=("acc", "pgd", "bops"),
        space=load_space("tiny"),
        protocol=evaluator.protocol,
        budget=evaluator.budget,
        seed=seed,
        proposals=proposals,
    )
    study, ended, began = Study.open(folder / "study", config), {}, time.process_time()

    def listen(event: Event) -> None:
        if isinstance(event, TrialFinished):
            ended[event.record.number] = time.process_time() - began
            if ended[event.record.number] > SECONDS:
                raise KeyboardInterrupt

    study.run(evaluator, Stop(trials=60), listen)
    records, bounds = [one for one in study.records() if one.state == "complete"], study.bounds
    assert bounds is not None
    trace = hypervolume_trace(records, config.objectives, bounds)
    curve = [(ended[one.number], volume) for one, (_, volume) in zip(records, trace, strict=True)]
    told = {"records": len(records), "trainings": evaluator.pool.trained, "asks_ms": asks(study, evaluator)}
    return told | {"from_pool": sum(one.origin == "pool" for one in records), "curve": curve}, curve


def asks(study: Study, evaluator: Evaluator) -> float:
    """Mean milliseconds to find a proposal, over all trials of a study."""
    records = study.records()
    assert study.bounds is not None
    proposer, began = Proposer(study.config, study.bounds, evaluator), time.process_time()
    for end in range(len(records) + 1):
        proposer.propose(records[:end])
    return 1e3 * (time.process_time() - began) / (len(records) + 1)


def seconds_to(curve: Curve, volume: float) -> float:
    return next(at for at, reached in curve if reached >= volume)


def pair(seed: int) -> dict[str, Any]:
    """Two studies of one seed, and the ratio of their seconds."""
    found: dict[str, Any] = {"seed": seed}
    curves = {}
    for proposals in ("pool", "off") if seed % 2 else ("off", "pool"):
        with TemporaryDirectory() as folder:
            found[proposals], curves[proposals] = run(Path(folder), seed, proposals)
    volume = min(curve[-1][1] for curve in curves.values())
    found["ratio"] = seconds_to(curves["off"], volume) / seconds_to(curves["pool"], volume)
    print(f"seed {seed}: to a hypervolume of {volume:.3f} in 1/{found['ratio']:.2f} of the seconds", flush=True)
    return found


def free() -> dict[str, float]:
    """Seconds for the clean accuracy of an ensemble of known members: from kept answers, and by its networks."""
    with TemporaryDirectory() as folder:
        evaluator = opened(Path(folder), 0)
        candidates = [
            Candidate.parse(f"{one}+{other}:{vote}:x0.25")
            for one in MEMBERS
            for other in MEMBERS
            if one < other
            for vote in ("mean", "majority")
        ]
        for candidate in candidates:
            dict(evaluator.measure(candidate, ["acc"]))
        contestants = {
            "kept answers": lambda: evaluator.free_accuracy(candidates),
            "networks": lambda: [list(evaluator.judge(candidate, [None])) for candidate in candidates],
        }
        return {name: seconds / len(candidates) for name, seconds in fastest(contestants, turns=3).items()}


def main() -> None:
    torch.set_num_threads(1)
    seconds = free()
    print(*(f"{name}: {1e3 * value:.2f} ms a candidate" for name, value in seconds.items()), sep="\n", flush=True)
    pairs = [pair(int(seed)) for seed in sys.argv[1:] or (0, 1)]
    overall = exp(mean(log(one["ratio"]) for one in pairs))
    print(f"geometric mean: {overall:.2f}; an ask {mean(one['pool']['asks_ms'] for one in pairs):.1f} ms")
    save("pool", {"clean accuracy, seconds": seconds, "ratio": overall, "pairs": pairs})


if __name__ == "__main__":
    main()
