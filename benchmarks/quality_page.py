"""The tables and the picture of docs/search_quality.md, from what the benchmarks beside this file measured.

python benchmarks/quality_page.py
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from front_truth import FRESH, RUNS, SURE

from search.plots import draw_comparison

ROOT = Path(__file__).parents[1]
SHOWN = ("ours", "Optuna TPE", "Optuna NSGA-II", "Optuna GP", "Optuna random", "Optuna TPE, no store")
Result = dict[str, Any]


def result_of(name: str) -> Result:
    """What a benchmark wrote."""
    found: Result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    return found


def searches(result: Result) -> Iterator[str]:
    """A row per contestant: median seconds to the share of the hypervolume; quartiles after 25 and 50 evaluations."""
    best = result["best"]
    for name in dict.fromkeys(one["contestant"] for one in result["searches"]):
        mine = [one for one in result["searches"] if one["contestant"] == name]
        reached = sorted(float("inf") if one["reached"] is None else one["reached"] for one in mine)
        after = [quartiles([held(one, count) / best[one["seed"] % len(best)] for one in mine]) for count in (25, 50)]
        some = sum(one < float("inf") for one in reached)
        yield f"| {name} | {seconds(median(reached))} | {some} of {len(mine)} | {after[0]} | {after[1]} |"


def held(search: Result, evaluations: int) -> float:
    """The hypervolume that a search had after so many evaluations."""
    return max((volume for count, _, volume in search["trace"] if count <= evaluations), default=0.0)


def quartiles(values: list[float]) -> str:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:.3f} [{low:.3f}, {high:.3f}]"


def seconds(value: float) -> str:
    return "not reached" if value == float("inf") else f"{value:.0f} s"


def stops(result: Result) -> Iterator[str]:
    """A row per margin and number of candidates: stopped, ratio of times, most hypervolume lost, on the front."""
    for row in result["rows"]:
        front = " / ".join(f"{count:.0f}" for count in row["front"])
        yield f"| {row['margin']:g} | {row['candidates']} | {row['stopped']:.0f} | {row['ratio']:.2f}× | " + (
            f"{100 * row['lost']:.1f} % | {front} |"
        )


def truths(result: Result) -> Iterator[str]:
    """A row per way to report a front: size, and the share of it that is true."""
    yield f"| Optuna TPE, `study.best_trials` | | {result['best_trials']:.2f} |"
    ways = {f"repeats {runs}": f"`--repeats {runs}`" for runs in (1, RUNS)}
    ways |= {f"confirmed {seeds}": f"confirmed by {seeds} fresh seeds" for seeds in FRESH}
    for way, name in ways.items():
        row = result[way]
        for least in SURE:
            what = "the front" if not least else f"of it, P(front) ≥ {least}"
            yield f"| ours, {name}, {what} | {row[f'size at {least}']:.1f} | {row[f'true at {least}']:.2f} |"


def predicted(result: Result) -> Iterator[str]:
    """A row per number of candidates learned from: the errors; then how much two seeds differ."""
    for row in result["rows"]:
        yield f"| {row['learned from']} | {row['one scale']:.2f} | {row['a scale for each part']:.2f} |"
    yield f"where two seeds of one candidate differ by {result['two seeds differ by']:.2f}"


TABLES = {"search_quality": searches, "early_stop": stops, "front_truth": truths, "predictions": predicted}


def draw(result: Result) -> None:
    """The curves of SHOWN, as shares of the table's hypervolume."""
    best = result["best"]
    groups = {
        name: [
            [(count, spent, volume / best[one["seed"] % len(best)]) for count, spent, volume in one["trace"]]
            for one in result["searches"]
            if one["contestant"] == name
        ]
        for name in SHOWN
    }
    title = f"table mnist5k, {len(groups[SHOWN[0]])} seeds, virtual time; 1 is the table's hypervolume"
    figure = draw_comparison(groups, title)
    figure.savefig(ROOT / "docs" / "search_quality.png", dpi=160)


def main() -> None:
    for name, rows in TABLES.items():
        print(name, *rows(result_of(name)), sep="\n")
    draw(result_of("search_quality"))


if __name__ == "__main__":
    main()
