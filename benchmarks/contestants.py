"""Who searches a recorded table: Optuna's samplers as its tutorials use them, this project, and one who knows it."""

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from known_tables import OBJECTIVES, known, trusted, values_of, volume_of

from space import Candidate
from studies.config import Stop, StudyConfig
from studies.fronts.expected import expected_gains
from studies.replay import Replay, Table
from studies.study import Study

NOISE = (0.012, 0.030, 0.0)
"""Standard deviations of the objectives from seed to seed, as `front_truth` finds them."""

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
            memo[text] = values_of(found.table, seed, text)
        if trusted(found.table, seed, text):
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
        if record.state == "complete" and trusted(found.table, seed, record.candidate):
            points.append([record.measurements[name].value for name in OBJECTIVES])
        trace.append((len(trace) + 1, record.at, volume_of(found.bounds, points)))
    return trace


def knowing(job: Job) -> Trace:
    """Who has the other seed's whole table, and so knows all but this seed's noise: a bound for who must learn it."""
    found = known(job.table)
    seed = job.seed % len(found.best)
    replay, names = Replay(found.table, seed), sorted(found.table.costs)
    told = np.array([values_of(found.table, (seed + 1) % len(found.best), name) for name in names])
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
        if trusted(found.table, seed, names[chosen]):
            points.append(values_of(found.table, seed, names[chosen]))
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
