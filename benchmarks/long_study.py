"""What a study of 20,000 trials takes as it grows: memory, processor time and journal per trial, on recorded answers.

    python benchmarks/long_study.py [--trials 20000] [--kinds random tpe default]

The answers follow from the candidate by arithmetic, so that the space is large enough for trials that are all new:
once drawn by chance, once proposed by predictions and the density model, once as `python -m search` does by default,
which takes generations for so many trials. Saves benchmarks/results/long_study.json, and its tables in
docs/reliability.md.
"""

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from evaluators.base import Budget, Measurement, Protocol
from evaluators.prices import Prices
from space import Candidate, SearchSpace
from studies import Event, Stop, Study, StudyConfig, TrialFinished

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- long_study {} -->", "<!-- /long_study -->"
COLUMNS = ("evaluated", "records", "memory, MB", "journal, MB", "on the front", "ms of processor a trial")
RESULTS = Path(__file__).parent / "results" / "long_study.json"
SPACE = SearchSpace(
    input_bits=tuple(range(1, 9)),
    precisions=("fp", "pact2", "pact4", "dorefa2-4", "dorefa4-2", "xnor", "mbn1x1", "mbn2x1", "mbn2x2", "mbn3x3"),
    members=(2, 3),  # there are few single ones, and chance would draw them again and again
    full_precision=(0, 1),
    votes=("mean", "majority"),
    mu=(0, 31, 63, 127, 255),
    mapped_layers=tuple(range(1, 9)),
    widths=(0.125, 0.25, 0.5, 0.75, 1.0),
)
KINDS: dict[str, dict[str, Any]] = {
    "random": {"sampler": "random", "proposals": "off", "full": True},
    "tpe": {"sampler": "tpe"},
    "default": {},
}
"""Settings of the studies, by name."""

POINTS = 8
"""Parts of the study after each of which its size is told."""


class Formula:
    """Answers by arithmetic, at once."""

    protocol = Protocol(dataset="formula", checksum="0", network="none", epsilon=0.2)
    budget = Budget()
    prices = Prices.of(budget, train_images=3200)

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """More bits cost more."""
        bits = sum(one.precision.weight * one.precision.activation for one in candidate.members)
        return {"bops": Measurement(value=1e6 * candidate.width**2 * (bits + candidate.input_bits), unit="bit-ops")}

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """What costs more is more accurate; coarse input and many members are robust; luck counts as well."""
        robust = (9 - candidate.input_bits) / 20 + len(candidate.members) / 30 - luck("pgd", candidate)
        yield "acc", self._clean(candidate)
        yield "pgd", Measurement.fraction(round(1000 * max(0.0, robust)), 1000)

    def free_accuracy(self, candidates: Sequence[Candidate]) -> list[Measurement | None]:
        """That of all."""
        return [self._clean(one) for one in candidates]

    def _clean(self, candidate: Candidate) -> Measurement:
        size = math.log2(self.cost(candidate)["bops"].value) / 40 - luck("acc", candidate)
        return Measurement.fraction(round(1000 * min(1.0, size)), 1000)


def luck(name: str, candidate: Candidate) -> float:
    """What a candidate falls short of, 0 to 0.2, always the same: without it, too many would be on the front."""
    return random.Random(f"{name} {candidate}").random() / 5


def config_of(kind: str) -> StudyConfig:
    """The settings of a study, one of KINDS."""
    return StudyConfig(
        objectives=("acc", "pgd", "bops"),
        space=SPACE,
        protocol=Formula.protocol,
        budget=Formula.budget,
        **KINDS[kind],
    )


def memory() -> int:
    """Bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def run(kind: str, trials: int, folder: Path) -> list[dict[str, Any]]:
    """Run the study; its size after each part: evaluated trials, records, bytes, journal and milliseconds a trial."""
    points: list[dict[str, Any]] = []
    known = {"evaluated": 0, "seconds": time.process_time()}

    def hear(event: Event) -> None:
        if not isinstance(event, TrialFinished) or event.evaluated % (trials // POINTS):
            return
        if event.evaluated == known["evaluated"]:
            return
        now, count = time.process_time(), event.evaluated - known["evaluated"]
        points.append(
            {
                "evaluated": event.evaluated,
                "records": event.record.number + 1,
                "memory_mb": round(memory() / 1e6, 1),
                "journal_mb": round((folder / "journal.log").stat().st_size / 1e6, 1),
                "front": len(event.front),
                "ms_per_trial": round((now - known["seconds"]) / count * 1e3, 2),
            }
        )
        known.update(evaluated=event.evaluated, seconds=now)
        print(kind, "  ".join(f"{name} {value}" for name, value in points[-1].items()), flush=True)

    Study.open(folder, config_of(kind)).run(Formula(), Stop(trials=trials), hear)
    return points


def alone(kind: str, trials: int) -> list[dict[str, Any]]:
    """Run the study in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return run(kind, trials, Path(folder))


def table(points: list[dict[str, Any]]) -> str:
    """The points of one study, as the page shows them."""
    rows = [
        [f"{one:,}" if isinstance(one, int) and one > 999 else str(one) for one in point.values()] for point in points
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (COLUMNS, ["---"] * len(COLUMNS), *rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--kinds", nargs="+", default=[*KINDS], choices=KINDS)
    args = parser.parse_args()
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:  # memory of a fresh process
        studies = dict(zip(args.kinds, pool.map(alone, args.kinds, repeat(args.trials)), strict=True))
    write(studies)
    print(f"written to {RESULTS} and {PAGE}")


def write(studies: dict[str, list[dict[str, Any]]]) -> None:
    """Save the points of each study, and show them on the page."""
    RESULTS.write_text(json.dumps(studies, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    for kind, points in studies.items():
        before, _, rest = page.partition(BEGIN.format(kind))
        page = f"{before}{BEGIN.format(kind)}\n{table(points)}\n{END}{rest.partition(END)[2]}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
