"""How much of a reported front is really on it, when every measurement is noisy and the truth is known.

The truth is the mean of a table's two seeds; measurements are drawn around it with the spread that those two seeds
show.

    python benchmarks/front_truth.py
"""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import optuna
from known_tables import OBJECTIVES, known
from timing import save

from evaluators.base import Measurement
from evaluators.objectives import BOUND
from evaluators.seeds import number
from studies.averages import averages
from studies.config import Stop, StudyConfig
from studies.confirmation.plan import near_front
from studies.fronts.pareto import non_dominated
from studies.fronts.probability import front_probability
from studies.records import Record, front
from studies.replay import Replay, Row, Table
from studies.study import Study
from studies.terms import NEAR

SEEDS, TRIALS, RUNS = 20, 100, 3
SURE = (0.0, 0.5, 0.9, 0.95)
"""Probabilities of being on the front from which a candidate is reported."""

FRESH = (3, 5, 10)
"""Seeds that a front, and what is near it, is confirmed by; three by default."""

MAXIMIZE = (True, True, False)
Truth = Mapping[str, Sequence[float]]


def truth_of(table: Table) -> tuple[dict[str, list[float]], list[float]]:
    """Mean accuracies and bit operations by candidate, and the standard deviation of one seed's accuracies."""
    texts = sorted(table.costs)
    pairs = np.array([[_accuracies(rows[text]) for text in texts] for rows in table.rows])
    spread = (pairs[0] - pairs[1]).std(axis=0) / np.sqrt(2)
    centre = pairs.mean(axis=0)
    return {text: [*map(float, one), table.costs[text]["bops"]] for text, one in zip(texts, centre, strict=True)}, [
        *map(float, spread)
    ]


def noisy(table: Table, truth: Truth, spread: Sequence[float], seed: int) -> Table:
    """The table as RUNS independent seeds would have measured it."""
    rng = np.random.default_rng(seed)
    rows = [{text: _drawn(row, truth[text], spread, rng) for text, row in table.rows[0].items()} for _ in range(RUNS)]
    protocols = tuple(replace(table.protocols[0], seed=run) for run in range(RUNS))
    return replace(table, rows=tuple(rows), members=table.members[:1] * RUNS, protocols=protocols)


def _drawn(row: Row, truth: Sequence[float], spread: Sequence[float], rng: np.random.Generator) -> Row:
    acc, pgd = np.clip(rng.normal(truth[:2], spread), 0.0, 1.0)
    steps, known_pgd = [], min(acc, pgd)
    for name, hits, images, seconds in row.steps:
        share = {"acc": acc, "pgd": known_pgd, "certified": 0.0}.get(name, max(known_pgd, hits / images))
        steps.append((name, round(share * images), images, seconds))
    return Row(tuple(steps))


def _accuracies(row: Row) -> list[float]:
    found = {name: one.value for name, one in row.measured() if name != BOUND}
    return [found["acc"], found["pgd"]]


def share_true(truth: Truth, reported: Sequence[str], tried: Sequence[str]) -> float:
    """Share of the reported candidates that none of those that were tried truly dominates."""
    texts = [*dict.fromkeys([*reported, *tried])]
    keep = non_dominated(np.array([truth[text] for text in texts]), MAXIMIZE)
    front = {text for text, kept in zip(texts, keep, strict=True) if kept}
    return mean(text in front for text in dict.fromkeys(reported))


def plain(table: Table, truth: Truth, seed: int) -> float:
    """Optuna's `best_trials`, its default sampler."""
    replay = Replay(table)

    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        candidate = table.space.sample(trial)
        trial.set_user_attr("candidate", str(candidate))
        found = dict(replay.measure(candidate, ("acc", "pgd")))
        return found["acc"].value, found["pgd"].value, replay.cost(candidate)["bops"].value

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=seed)
        study = optuna.create_study(directions=["maximize", "maximize", "minimize"], sampler=sampler)
        study.optimize(objective, n_trials=TRIALS)
    tried = [one.user_attrs["candidate"] for one in study.trials]
    return share_true(truth, [one.user_attrs["candidate"] for one in study.best_trials], tried)


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Attributes:
        tried: candidates.
        front: records.
        near: the front's, and those that might be on it: what `confirm` measures again.
        sure: how sure it is that each is on the front, by number.
        seconds: virtual ones.
    """

    tried: list[str]
    front: list[Record]
    near: Sequence[Record]
    sure: Mapping[int, float]
    seconds: float

    def shares(self, truth: Truth) -> dict[str, float]:
        """Of the front, and of the parts of it whose probability is at least one of SURE: how much is true."""
        found = {"seconds": self.seconds, "size": float(len(self.front)), "measured": float(len(self.near))}
        for least in SURE:
            sure = [one.candidate for one in self.front if self.sure[one.number] >= least]
            true = share_true(truth, sure, self.tried) if sure else 1.0
            found |= {f"true at {least}": true, f"size at {least}": float(len(sure))}
        return found


def ours(table: Table, seed: int, repeats: int) -> Searched:
    """A study's front."""
    replay = Replay(table)
    config = StudyConfig(
        objectives=OBJECTIVES, space=table.space, protocol=replay.protocol, budget=replay.budget, seed=seed
    )
    with tempfile.TemporaryDirectory() as folder:
        study = Study.open(Path(folder), config)
        study.run(replay, Stop(trials=TRIALS, repeats=repeats), clock=replay.clock)
        tried = [one.candidate for one in study.records() if one.evaluated]
        return Searched(tried, study.front(), near_front(study, NEAR), study.front_probability(), replay.seconds)


def confirmed(searched: Searched, truth: Truth, spread: Sequence[float], seed: int, fresh: int) -> Searched:
    """The records of the front and near it measured by seeds that the search has not seen, as `confirm` does."""
    rng, rows = np.random.default_rng(number(seed, "confirmed")), []
    for record in searched.near:
        drawn = np.clip(rng.normal(truth[record.candidate][:2], spread, (fresh, 2)), 0.0, 1.0)
        runs = [
            {
                name: Measurement(value=float(one), unit="fraction")
                for name, one in zip(("acc", "pgd"), run, strict=True)
            }
            for run in drawn
        ]
        rows.append(replace(record, measurements={**record.measurements, **averages(runs)}))
    return replace(searched, front=front(rows, OBJECTIVES), near=rows, sure=front_probability(rows, OBJECTIVES))


def main() -> None:
    table = known("mnist5k").table
    truth, spread = truth_of(table)
    print("standard deviation of one seed:", *(f"{one:.4f}" for one in spread))
    result: dict[str, object] = {"spread": spread, "seeds": SEEDS, "trials": TRIALS}
    tables = [noisy(table, truth, spread, seed) for seed in range(SEEDS)]
    result["best_trials"] = mean(plain(one, truth, seed) for seed, one in enumerate(tables))
    print("best_trials", result["best_trials"], flush=True)
    once, several = ([ours(one, seed, repeats) for seed, one in enumerate(tables)] for repeats in (1, RUNS))
    again = {
        f"confirmed {fresh}": [confirmed(one, truth, spread, seed, fresh) for seed, one in enumerate(once)]
        for fresh in FRESH
    }
    for name, searches in {"repeats 1": once, f"repeats {RUNS}": several, **again}.items():
        rows = [one.shares(truth) for one in searches]
        result[name] = row = {part: mean(one[part] for one in rows) for part in rows[0]}
        print(name, {part: round(value, 3) for part, value in row.items()}, flush=True)
    save("front_truth", result)


if __name__ == "__main__":
    main()
