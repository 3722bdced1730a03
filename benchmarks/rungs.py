"""Does accuracy after a few epochs order candidates as accuracy after all of them does, and what do rungs save?

    python benchmarks/rungs.py --cache runs/rungs

Trains 16 members, pausing after epochs 1 and 2 of 4; ensembles are answered by their members' kept answers. Prints
Spearman's rank correlation of the accuracy at each rung with the final one, then plays studies over these candidates
in random orders, with rungs and without: epochs trained, and the hypervolume (acc, bops) of what was completed. Once
members are shared between candidates as the pool does; once every candidate has members of its own, as in a space so
large that few are met twice.
"""

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from pathlib import Path
from statistics import mean, median

import numpy as np
import torch
from scipy.stats import spearmanr
from timing import save

from evaluators import Budget, Evaluator, Measurement, open_evaluator
from evaluators.members import Rung
from evaluators.objectives import rung_name
from space import Candidate, SearchSpace
from studies import Record, StudyConfig
from studies.bounds import Bounds
from studies.halving import Rungs
from studies.volume import hypervolume

MEMBERS = [
    *("fp", "pact4", "pact2", "dorefa4-2", "dorefa2-4", "dorefa2-2", "bnn", "xnor"),
    *("mbn1x1", "mbn3x1", "mbn1x3", "mbn3x3", "mbn2x2", "in2:fp", "in2:mbn3x1", "in1:pact2"),
]
RUNGS = (1, 2)
EPOCHS = 4
STUDY = 60
"""Candidates of a played study: every single member, and ensembles drawn at random."""
OBJECTIVES = ("acc", "bops")
ORDERS = 20
ETAS = (2.0, 3.0, 4.0)


@dataclass(frozen=True)
class Row:
    """One candidate: its members, its cost, and its accuracy at every rung and at the end."""

    candidate: Candidate
    bops: Measurement
    rungs: dict[int, Measurement]
    acc: Measurement
    members: frozenset[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="where members are kept")
    parser.add_argument("--width", default="x0.25")
    args = parser.parse_args()
    torch.set_num_threads(1)
    evaluator = open_evaluator(dataset="mnist5k", network="mnistconv", budget=Budget(epochs=EPOCHS), cache=args.cache)
    rows = [row_of(evaluator, Candidate.parse(f"{text}:{args.width}").canonical()) for text in texts()]
    result = {
        "settings": {"dataset": "mnist5k", "network": "mnistconv", "width": args.width, "epochs": EPOCHS},
        "candidates": {str(row.candidate): values_of(row) for row in rows},
        "spearman": correlations(rows),
        "pause": pause(evaluator, rows),
        "played, members shared": {f"eta {eta:g}": played(evaluator, rows, eta) for eta in ETAS},
        "played, members apart": {f"eta {eta:g}": played(evaluator, apart(rows), eta) for eta in ETAS},
    }
    save("rungs", result)
    for name in [*result][2:]:
        print(name, result[name])


def texts() -> list[str]:
    """All members alone, and all pairs and triples of those that share their input bits."""
    found = list(MEMBERS)
    for bits, group in groupby(MEMBERS, key=lambda text: text.partition(":")[0] if text.startswith("in") else ""):
        tokens = [text.rpartition(":")[2] for text in group]
        joined = ("+".join(some) for size in (2, 3) for some in combinations(tokens, size))
        found += [f"{bits}:{text}" if bits else text for text in joined]
    return found


def row_of(evaluator: Evaluator, candidate: Candidate) -> Row:
    """Train to each rung, then to the end; most candidates find their members there."""
    rungs = {rung: evaluator.rung_accuracy(candidate, rung) for rung in RUNGS}
    found = dict(evaluator.measure(candidate, OBJECTIVES))
    if len(candidate.members) == 1:
        print(candidate, *(f"{one.value:.4f}" for one in (*rungs.values(), found["acc"])), flush=True)
    members = frozenset(f"in{candidate.input_bits}:{member}" for member in candidate.members)
    return Row(candidate, found["bops"], rungs, found["acc"], members)


def apart(rows: Sequence[Row]) -> list[Row]:
    """The same candidates, none of which has a member of another."""
    return [replace(row, members=frozenset(f"{row.candidate} {one}" for one in row.members)) for row in rows]


def values_of(row: Row) -> list[float]:
    return [row.bops.value, *(row.rungs[rung].value for rung in RUNGS), row.acc.value]


def correlations(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Spearman's rank correlation of each rung with the end, for single members and for ensembles."""
    sizes = {"single members": (1,), "pairs": (2,), "triples": (3,), "all": (1, 2, 3)}
    return {
        name: _correlation([row for row in rows if len(row.candidate.members) in size]) for name, size in sizes.items()
    }


def _correlation(rows: Sequence[Row]) -> dict[str, float]:
    final = [row.acc.value for row in rows]
    found = {rung_name(rung): spearmanr([row.rungs[rung].value for row in rows], final).statistic for rung in RUNGS}
    return {"n": len(rows)} | {name: round(float(value), 4) for name, value in found.items()}


def pause(evaluator: Evaluator, rows: Sequence[Row]) -> dict[str, float]:
    """What a pause costs: bytes beside a member's, and the processor's time to read the state and go on from it."""
    store, times, sizes = evaluator.pool.store, [], []
    for row in rows[: len(MEMBERS)]:
        (spec,) = evaluator._specs(row.candidate)
        whole, paused = (
            (store.root / f"{key}.safetensors").stat().st_size for key in (spec.key(), Rung(spec, 1).key())
        )
        sizes.append(paused / whole)
        began = time.process_time()
        evaluator.pool.rung(Rung(spec, 1))
        times.append(time.process_time() - began)
    return {"bytes, in members": round(median(sizes), 2), "ms to resume": round(1e3 * median(times), 1)}


def played(evaluator: Evaluator, rows: Sequence[Row], eta: float) -> dict[str, float]:
    """Means over random orders: share of the epochs and of the hypervolume that a study with rungs has."""
    space = SearchSpace(precisions=("fp",), members=(1,))
    config = StudyConfig(
        objectives=OBJECTIVES, space=space, protocol=evaluator.protocol, budget=evaluator.budget, rungs=RUNGS
    )
    costs = [row.bops.value for row in rows]
    bounds = Bounds({"bops": (min(costs), max(costs))})
    found = []
    for seed in range(ORDERS):
        rng = random.Random(seed)
        order = [*rows[: len(MEMBERS)], *rng.sample(rows[len(MEMBERS) :], STUDY - len(MEMBERS))]
        rng.shuffle(order)
        found.append(_play(order, Rungs(config, eta=eta), bounds))
    epochs, volume, stopped = zip(*found, strict=True)
    return {
        "epochs": round(mean(epochs), 3),
        "hypervolume": round(mean(volume), 4),
        "least hypervolume": round(min(volume), 4),
        "stopped": round(mean(stopped), 3),
    }


def _play(order: Sequence[Row], rungs: Rungs, bounds: Bounds) -> tuple[float, float, float]:
    """Epochs and hypervolume as shares of those without rungs, and the share of candidates that were stopped."""
    done: dict[str, int] = {}
    records: list[Record] = []
    complete = []
    for number, row in enumerate(order):
        reached = _climb(row, rungs, records, done)
        measured = {"bops": row.bops} | {rung_name(rung): row.rungs[rung] for rung in RUNGS if rung <= reached}
        state = "complete" if reached == EPOCHS else "vetoed"
        key = row.candidate.key()
        records.append(Record(number=number, candidate=key, key=key, state=state, measurements=measured))
        complete += [row] if state == "complete" else []
    full = EPOCHS * len(frozenset().union(*(row.members for row in order)))
    share = _volume(complete, bounds) / _volume(order, bounds)
    return sum(done.values()) / full, share, 1 - len(complete) / len(order)


def _climb(row: Row, rungs: Rungs, records: Sequence[Record], done: dict[str, int]) -> int:
    """How far a candidate gets; what is known in full is not stopped, since that would save nothing."""
    known = all(done.get(member) == EPOCHS for member in row.members)
    for rung in RUNGS if not known else ():
        done.update({member: max(rung, done.get(member, 0)) for member in row.members})
        if rungs.decide(records, {"bops": row.bops}, rung, row.rungs[rung]):
            return rung
    done.update(dict.fromkeys(row.members, EPOCHS))
    return EPOCHS


def _volume(rows: Sequence[Row], bounds: Bounds) -> float:
    values = np.array([[row.acc.value, row.bops.value] for row in rows])
    return hypervolume(bounds.normalise(values, OBJECTIVES), (1.0, 1.0))


if __name__ == "__main__":
    main()
