"""Does accuracy after a few epochs order candidates as accuracy after all of them does, and what do rungs save?

    python benchmarks/rungs.py --cache runs/rungs

Trains 16 members, pausing after epochs 1 and 2 of 4; ensembles are answered by their members' kept answers. Prints
Spearman's rank correlation of the accuracy at each rung with the final one, then plays studies over these candidates
in random orders, with rungs and without: epochs trained, and the hypervolume (acc, bops) of what was completed. Once
members are shared between candidates as the pool does; once every candidate has members of its own, as in a space so
large that few are met twice; and so again with 30 candidates whose accuracy under attack is an objective as well.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
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
from studies.fronts.bounds import Bounds
from studies.fronts.hypervolume import hypervolume
from studies.stages.halving import Rungs

MEMBERS = [
    *("fp", "pact4", "pact2", "dorefa4-2", "dorefa2-4", "dorefa2-2", "bnn", "xnor"),
    *("mbn1x1", "mbn3x1", "mbn1x3", "mbn3x3", "mbn2x2", "in2:fp", "in2:mbn3x1", "in1:pact2"),
]
RUNGS = (1, 2)
EPOCHS = 4
STUDY = 60
"""Candidates of a played study: every single member, and ensembles drawn at random."""
OBJECTIVES = ("acc", "bops")
ROBUST = ("acc", "pgd", "bops")
ORDERS = 20
ATTACKED = 30
"""Candidates that are attacked as well: every single member, and ensembles drawn at random."""
EPSILON = 0.03
ETAS = (2.0, 3.0, 4.0)


@dataclass(frozen=True)
class Row:
    """One candidate: its members, its cost, and its accuracy at every rung and at the end."""

    candidate: Candidate
    bops: Measurement
    rungs: dict[int, Measurement]
    acc: Measurement
    members: frozenset[str]
    pgd: Measurement | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="where members are kept")
    parser.add_argument("--width", default="x0.25")
    args = parser.parse_args()
    torch.set_num_threads(1)
    budget = Budget(epochs=EPOCHS, images=96, steps=8)
    evaluator = open_evaluator(dataset="mnist5k", network="mnistconv", epsilon=EPSILON, budget=budget, cache=args.cache)
    rows = [row_of(evaluator, Candidate.parse(f"{text}:{args.width}").canonical()) for text in texts()]
    attacked = [robust(evaluator, row) for row in chosen(rows, ATTACKED, 0)]
    result = {
        "settings": {
            **{"dataset": "mnist5k", "network": "mnistconv", "width": args.width, "epochs": EPOCHS},
            **{"epsilon": EPSILON, "images": budget.images, "steps": budget.steps, "orders": ORDERS},
        },
        "candidates": {str(row.candidate): values_of(row) for row in rows},
        "spearman": correlations(rows),
        "pause": pause(evaluator, rows),
        "played, members shared": each_eta(evaluator, rows, OBJECTIVES),
        "played, members apart": each_eta(evaluator, apart(rows), OBJECTIVES),
        "played, attacked": each_eta(evaluator, apart(attacked), ROBUST),
        "pgd": {str(row.candidate): row.pgd.value for row in attacked},
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
        (spec,) = evaluator.specs(row.candidate)
        whole, paused = (
            (store.root / f"{key}.safetensors").stat().st_size for key in (spec.key(), Rung(spec, 1).key())
        )
        sizes.append(paused / whole)
        began = time.process_time()
        evaluator.pool.rung(Rung(spec, 1))
        times.append(time.process_time() - began)
    return {"bytes, in members": round(median(sizes), 2), "ms to resume": round(1e3 * median(times), 1)}


def robust(evaluator: Evaluator, row: Row) -> Row:
    """With its worst case, on few images and steps."""
    return replace(row, pgd=dict(evaluator.measure(row.candidate, ["pgd"]))["pgd"])


def chosen(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """Every single member, and ensembles drawn at random; all of them where there are fewer."""
    singles, joined = rows[: len(MEMBERS)], rows[len(MEMBERS) :]
    return [*singles, *random.Random(seed).sample(joined, min(len(joined), count - len(singles)))]


def each_eta(evaluator: Evaluator, rows: Sequence[Row], objectives: tuple[str, ...]) -> dict[str, dict[str, float]]:
    space = SearchSpace(precisions=("fp",), members=(1,))
    fixed = {"space": space, "protocol": evaluator.protocol, "budget": evaluator.budget}
    config = StudyConfig(objectives=objectives, rungs=RUNGS, **fixed)
    return {f"eta {eta:g}": played(rows, partial(Rungs, config, eta=eta), objectives) for eta in ETAS}


def played(rows: Sequence[Row], rungs: Callable[[], Rungs], objectives: tuple[str, ...]) -> dict[str, float]:
    """Means over random orders: share of the epochs and of the hypervolume that a study with rungs has."""
    costs = [row.bops.value for row in rows]
    bounds = Bounds({"bops": (min(costs), max(costs))})
    found = []
    for seed in range(ORDERS):
        order = chosen(rows, STUDY, seed)
        random.Random(seed).shuffle(order)
        reached = _play(order, rungs())
        done = [row for row, epochs in zip(order, reached[1], strict=True) if epochs == EPOCHS]
        share = _volume(done, bounds, objectives) / _volume(order, bounds, objectives)
        found.append((reached[0], share, 1 - len(done) / len(order)))
    epochs, volume, stopped = zip(*found, strict=True)
    return {
        "epochs": round(mean(epochs), 3),
        "hypervolume": round(mean(volume), 4),
        "least hypervolume": round(min(volume), 4),
        "stopped": round(mean(stopped), 3),
    }


def _play(order: Sequence[Row], rungs: Rungs) -> tuple[float, list[int]]:
    """Epochs as a share of those without rungs, and how far each candidate gets."""
    done: dict[str, int] = {}
    epochs = []
    for number, row in enumerate(order):
        epochs.append(_climb(row, rungs, done))
        names = ("bops", *(rung_name(rung) for rung in RUNGS if rung <= epochs[-1]))
        measured = {name: one for name, one in measured_of(row).items() if name in names}
        text, key = str(row.candidate), row.candidate.key()
        rungs.add(Record(number=number, candidate=text, key=key, state="vetoed", measurements=measured))
    full = EPOCHS * len(frozenset().union(*(row.members for row in order)))
    return sum(done.values()) / full, epochs


def measured_of(row: Row) -> dict[str, Measurement]:
    return {"bops": row.bops} | {rung_name(rung): one for rung, one in row.rungs.items()}


def _climb(row: Row, rungs: Rungs, done: dict[str, int]) -> int:
    """How far a candidate gets; what is known in full is not stopped, since that would save nothing."""
    known = all(done.get(member) == EPOCHS for member in row.members)
    for rung in RUNGS if not known else ():
        done.update({member: max(rung, done.get(member, 0)) for member in row.members})
        if rungs.decide(row.candidate, rung, measured_of(row)):
            return rung
    done.update(dict.fromkeys(row.members, EPOCHS))
    return EPOCHS


def _volume(rows: Sequence[Row], bounds: Bounds, objectives: tuple[str, ...]) -> float:
    values = np.array([[getattr(row, name).value for name in objectives] for row in rows])
    return hypervolume(bounds.normalise(values, objectives), [1.0] * len(objectives))


if __name__ == "__main__":
    main()
