"""What an honest robust accuracy costs, and how far it is from that of a second opinion, AutoAttack's standard set.

    python benchmarks/robustness_cost.py
    python benchmarks/robustness_cost.py --images 32 --candidates fp:x0.5 bnn:x0.5

The worst case runs as an evaluation runs it, on as many images. The standard set (Croce and Hein 2020: APGD-CE, APGD-T,
FAB-T, Square, as pyautoattack packages them) attacks the first of the same images. What falls is the model's own word
in both. Times are processor seconds of one thread, per image, so that other processes do not matter; passes are
counted, a backward one as two forward ones. With --reuse the standard set is read from the last results where the
settings agree: it does not change when our stages do.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from timing import RESULTS, save

from evaluators import Budget, Evaluator, open_evaluator
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.data.batches import evaluation_batches
from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.verification.autoattack import STANDARD, External
from evaluators.robustness.worst_case import Findings, WorstCase
from evaluators.seeds import stream
from evaluators.verdict import worst
from space import Candidate

CANDIDATES = ("fp:x0.5", "fp:pgd:x0.5", "bnn:x0.5", "mbn3x1:x0.5", "in2:fp:x0.5", "fp+bnn:mean:x0.5")
UNDEFENDED = ("fp:x0.5", 0.2)
"""A candidate and a radius at which nothing stands: costs alone are asked for."""
RESULT = "robustness_cost"
Result = TypeVar("Result")
COLUMNS = (
    *("candidate", "clean", "pgd_naive", "worst", "standard", "points", "only ours", "only theirs"),
    *("f-eq", "f-eq theirs", "ms", "ms theirs", "ratio", "verdict"),
)


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """The standard set on the first images: which it leaves standing, and what it took, per image."""

    standing: list[bool]
    forward_equivalents: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One candidate; accuracies are shares of the images that both attacked, costs are per image.

    Attributes:
        candidate: as text.
        clean, naive, worst: without attack, under plain PGD and in the worst case.
        standard: under the standard set.
        only_ours, only_theirs: images that one of both breaks and the other does not.
        forward_equivalents, seconds: of the worst case.
        opinion: of the standard set.
        breaks: images of the worst case that each stage broke and none before it.
        verdict, flags: of the worst case.
    """

    candidate: str
    clean: float
    naive: float
    worst: float
    standard: float
    only_ours: int
    only_theirs: int
    forward_equivalents: float
    seconds: float
    opinion: Opinion
    breaks: dict[str, int]
    verdict: str
    flags: tuple[str, ...]

    @property
    def points(self) -> float:
        """Percentage points by which our worst case is above the standard set; below 0 it is the stronger one."""
        return 100 * (self.worst - self.standard)

    @property
    def ratio(self) -> float:
        """How many times our time the standard set took."""
        return self.opinion.seconds / self.seconds

    def cells(self) -> tuple[str, ...]:
        """In the order of COLUMNS."""
        shares = (f"{100 * share:.1f}" for share in (self.clean, self.naive, self.worst, self.standard))
        costs = (self.forward_equivalents, self.opinion.forward_equivalents)
        times = (1000 * self.seconds, 1000 * self.opinion.seconds)
        broken = (str(self.only_ours), str(self.only_theirs))
        numbers = (*(f"{cost:.0f}" for cost in costs), *(f"{each:.0f}" for each in times), f"{self.ratio:.1f}")
        return (self.candidate, *shares, f"{self.points:+.1f}", *broken, *numbers, self.verdict)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Both attacks, on the same images, and what the last results hold of the slower one."""

    evaluator: Evaluator
    attack: WorstCase
    images: int
    known: dict[str, Opinion]

    def row(self, text: str) -> Row:
        """Attack one candidate with both."""
        model = self.evaluator.ensemble(Candidate.parse(text))
        found, seconds = self.worst_case(model)
        opinion = self.known.get(text) or self.standard(model)
        theirs, count = torch.tensor(opinion.standing), len(opinion.standing)
        clean, naive, ours = (tensor[:count] for tensor in (found.clean, found.naive, found.standing))
        shares = [float(stands.float().mean()) for stands in (clean, naive, ours, theirs)]
        return Row(
            candidate=text,
            **dict(zip(("clean", "naive", "worst", "standard"), shares, strict=True)),
            only_ours=int((theirs & ~ours).sum()),
            only_theirs=int((ours & ~theirs).sum()),
            forward_equivalents=found.forward_equivalents,
            seconds=seconds / len(found.clean),
            opinion=opinion,
            breaks=dict(found.breaks),
            verdict=worst(found.flags),
            flags=found.flags,
        )

    def worst_case(self, model: Ensemble) -> tuple[Findings, float]:
        """What an evaluation does; the first candidate pays for what is crafted on the twin, as in a search."""
        split = self.evaluator.data.validation.head(self.evaluator.budget.images)
        return timed(lambda: self.attack(model, split))

    def standard(self, model: Ensemble) -> Opinion:
        """Each attack of the set on what the ones before it left."""
        images, labels = next(evaluation_batches(self.evaluator.data.validation.head(self.images), self.images))
        threat = ThreatModel(epsilon=self.evaluator.protocol.epsilon)

        def attack() -> Attacked:
            outcome = Attacked.untouched(model, images, labels)
            for method in STANDARD:
                External(method=method).go_on(outcome, model, labels, threat, stream(0, "standard", method))
            return outcome

        outcome, seconds = timed(attack)
        passes = outcome.forwards + 2 * outcome.backwards
        standing = (~outcome.broken).tolist()
        return Opinion(standing=standing, forward_equivalents=passes / len(labels), seconds=seconds / len(labels))


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """A result, and the processor seconds it took."""
    began = time.process_time()
    return run(), time.process_time() - began


def opinions(settings: dict[str, Any]) -> dict[str, Opinion]:
    """Of the last results, where they were found with the same settings."""
    path = RESULTS / f"{RESULT}.json"
    last = json.loads(path.read_text()) if path.exists() else {}
    if last.get("settings") != settings:
        return {}
    return {row["candidate"]: Opinion(**row["opinion"]) for row in last["rows"]}


def printed(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:18}" + "".join(f" {cell:>11}" for cell in cells[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", nargs="+", default=list(CANDIDATES))
    parser.add_argument("--images", type=int, default=128, help="images that the standard set attacks")
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--cache", type=Path, default=Path("runs/robustness_cost"))
    parser.add_argument("--reuse", action="store_true", help="read the standard set from the last results")
    parser.add_argument("--dry", action="store_true", help="write no results")
    args = parser.parse_args()

    torch.set_num_threads(1)
    budget = Budget(epochs=args.epochs)
    settings = {name: getattr(args, name) for name in ("images", "epsilon", "epochs")}
    evaluator = open_evaluator(
        dataset="mnist5k", epsilon=args.epsilon, budget=budget, cache=args.cache, source="fp:x0.5", device="cpu"
    )
    twins = (evaluator.ensemble(Candidate.parse(evaluator.protocol.source)),)
    attack = WorstCase(epsilon=args.epsilon, effort=Effort(), seed=evaluator.protocol.seed, twins=twins)
    known = opinions(settings) if args.reuse else {}
    bench = Bench(evaluator=evaluator, attack=attack, images=args.images, known=known)
    rows = []
    print(printed(COLUMNS))
    for text in args.candidates:
        rows.append(bench.row(text))
        print(printed(rows[-1].cells()), flush=True)
    ours, theirs = sum(row.seconds for row in rows), sum(row.opinion.seconds for row in rows)
    wide = replace(bench, attack=replace(attack, epsilon=UNDEFENDED[1]))
    undefended, _ = wide.worst_case(evaluator.ensemble(Candidate.parse(UNDEFENDED[0])))
    print(f"\nall together: {theirs / ours:.1f} times our time; the dearest costs {dearest(rows):.0f} forward passes")
    print(f"{UNDEFENDED[0]} at {UNDEFENDED[1]}, where nothing stands: {undefended.forward_equivalents:.0f}")
    if not args.dry:
        summary = {"ratio": theirs / ours, "dearest": dearest(rows), "undefended": undefended.forward_equivalents}
        summary["standard set reused"] = args.reuse
        save(RESULT, {"settings": settings, "summary": summary, "rows": [asdict(row) for row in rows]})


def dearest(rows: list[Row]) -> float:
    return max(row.forward_equivalents for row in rows)


if __name__ == "__main__":
    main()
