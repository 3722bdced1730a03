"""Compared studies: what is said of each group, as a table, as JSON and as CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from search.console import say, table
from search.formats import clock
from search.tables.narrow import print_table
from space.shown import csv_text
from studies import reach_of, spread_of

if TYPE_CHECKING:
    from studies import Comparison, Contender

AFTER = (25, 50, 100)
"""Evaluations after which hypervolumes are told."""
TARGET = 0.95
"""Share of the best final hypervolume that is waited for."""
NEVER = "–"
COLUMNS = ("group", "study", "seed", "evaluations", "seconds", "hypervolume")


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The groups' figures and every run's; null is what a run or half of a group never reached."""
    return {
        "objectives": list(comparison.config.objectives),
        "bounds": comparison.bounds.to_json(),
        "best": comparison.best,
        "target": TARGET * comparison.best,
        "groups": [{"group": name, **_figures(some, comparison)} for name, some in comparison.groups.items()],
        "studies": [_run_json(one) for one in comparison.contenders],
    }


def comparison_csv(comparison: Comparison) -> str:
    """A row per evaluated candidate of every study: who proposed it, where, and the hypervolume from then on."""
    rows = (
        (one.group, one.study, one.seed, f"{evaluations:.0f}", f"{seconds:.3f}", f"{volume:.9f}")
        for one in comparison.contenders
        for evaluations, seconds, volume in one.run
    )
    return csv_text(COLUMNS, rows)


def print_comparison(data: dict[str, Any]) -> None:
    """Two tables with a row per group, from what `comparison_json` says: how the runs ended, and the way there."""
    groups = data["groups"]
    ends = table("at the end", ("group", "runs", "evaluated", "time", "hypervolume", "IGD+"))
    after = [str(count) for count in AFTER if any(one["after"][str(count)] for one in groups)]
    way = table("on the way", ("group", *(f"at {count}" for count in after), f"to {TARGET:.0%} of the best"))
    for one in groups:
        ends.add_row(one["group"], str(one["runs"]), *_end(one))
        volumes = [one["after"][count] for count in after]
        way.add_row(one["group"], *(f"{found['mean']:.3f}" if found else NEVER for found in volumes), _waited(one))
    print_table(ends)
    print_table(way)
    say("hypervolume: mean [quartiles] of the runs; IGD+: mean, from all studies' front")
    say(f"the best: {data['best']:.4f}, the largest hypervolume that a run ended with")


def uneven(comparison: Comparison) -> str:
    """What to say where runs went for different numbers of evaluations; "" where they did not."""
    counts = sorted({len(one.run) for one in comparison.contenders})
    if len(counts) == 1:
        return ""
    return f"runs have {counts[0]} to {counts[-1]} evaluations: compare what was reached after the same number"


def _figures(some: Sequence[Contender], comparison: Comparison) -> dict[str, Any]:
    """What is known of a group."""
    runs = [one.run for one in some]
    shortest = min(map(len, runs))
    reached = reach_of(runs, TARGET * comparison.best)
    return {
        "runs": len(runs),
        "evaluations": [shortest, max(map(len, runs))],
        "seconds": median(run[-1][1] for run in runs),
        "final": _volume(some, max(map(len, runs))),
        "after": {str(count): _volume(some, count) if count <= shortest else None for count in AFTER},
        "target": {
            "evaluations": _finite(reached.evaluations),
            "seconds": _finite(reached.seconds),
            "runs": reached.runs,
        },
        "igd_plus": _finite(fmean(one.distance for one in some)),
        "epsilon": _finite(fmean(one.epsilon for one in some)),
    }


def _volume(some: Sequence[Contender], evaluations: int) -> dict[str, float]:
    """Hypervolume of a group after so many evaluations."""
    found = spread_of([one.run for one in some], "evaluations", [evaluations])
    return {"mean": float(found.mean[0]), "low": float(found.low[0]), "high": float(found.high[0])}


def _run_json(one: Contender) -> dict[str, Any]:
    evaluations, seconds, volume = one.run[-1]
    return {
        "study": one.study,
        "group": one.group,
        "seed": one.seed,
        "evaluations": int(evaluations),
        "seconds": seconds,
        "hypervolume": volume,
        "igd_plus": _finite(one.distance),
        "epsilon": _finite(one.epsilon),
    }


def _end(one: dict[str, Any]) -> list[str]:
    """Evaluations, time, hypervolume and IGD+ of a group."""
    (least, most), final, far = one["evaluations"], one["final"], one["igd_plus"]
    return [
        str(least) if least == most else f"{least} to {most}",
        clock(one["seconds"]),
        f"{final['mean']:.3f} [{final['low']:.3f}, {final['high']:.3f}]",
        NEVER if far is None else f"{far:.4f}",
    ]


def _waited(one: dict[str, Any]) -> str:
    """Evaluations and time to the target, where most runs came there, and how many did."""
    target = one["target"]
    came = f"{target['runs']} of {one['runs']} runs"
    return came if target["seconds"] is None else f"{target['evaluations']:g} in {clock(target['seconds'])}, {came}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
