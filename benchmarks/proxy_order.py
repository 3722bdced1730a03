"""Does a short training order candidates as a long one does?

    python benchmarks/proxy_order.py --dataset FILE.npz --out benchmarks/results/proxy_order.json

Trains every candidate for a few epochs in several ways, and once for ten times as long from scratch; prints
Spearman's rank correlation of each way with the long training, for clean accuracy and accuracy under PGD. The way
"as long, another seed" trains as long again: no shorter one can be expected to order better. One long training is a
noisy judge, so where there are several, each way is also compared with their mean, and a long one with the mean of the
others. With --drawn the candidates are drawn from a preset as a random search draws them, in place of a list of one
width. With --known the long training is that of an earlier result, and further ways are added to its own.
"""

import argparse
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import torch
from scipy.stats import spearmanr

from evaluators import Budget, Evaluator, open_evaluator
from evaluators.training.recipes import RECIPES, Recipe
from space import Candidate, SearchSpace

CANDIDATES = [
    "fp",
    "pact4",
    "pact2",
    "dorefa4-2",
    "dorefa2-4",
    "dorefa2-2",
    "bnn",
    "xnor",
    "mbn1x1",
    "mbn3x1",
    "mbn1x3",
    "mbn3x3",
    "mbn5x5",
    "in2:fp",
    "in2:mbn3x1",
    "in1:pact2",
    "in1:fp",
    "in2:xnor",
    "in4:mbn1x3",
    "mbn2x2",
    "dorefa4-4",
    "pact3",
    "fp+xnor",
    "mbn3x1+pact2",
    "in2:xnor+xnor",
]
STANDARD = RECIPES["standard"]
SCRATCH = replace(STANDARD, starts_from_twin=False, teacher_share=0.0, float_epochs=1)
WAYS: dict[str, Recipe] = {
    "from scratch": SCRATCH,
    "warm start": replace(STANDARD, starts_from_twin=True, teacher_share=0.0, float_epochs=1),
    "warm start, fp twice": replace(STANDARD, starts_from_twin=True, teacher_share=0.0, float_epochs=2),
    "distilled": replace(STANDARD, starts_from_twin=True, teacher_share=0.5, temperature=2.0, float_epochs=1),
    "distilled, fp twice": replace(STANDARD, starts_from_twin=True, teacher_share=0.5, temperature=2.0, float_epochs=2),
    "twice the rate": replace(SCRATCH, rate=2 * SCRATCH.rate),
    "four times the rate": replace(SCRATCH, rate=4 * SCRATCH.rate),
    "four times the rate, half the batch": replace(SCRATCH, rate=4 * SCRATCH.rate, batch=SCRATCH.batch // 2),
}
SPENT = {
    "from scratch, 2 times": (2, 1),
    "from scratch, 3 times": (3, 1),
    "half the images, twice as often": (2, 2),
    "a quarter of the images, four times as often": (4, 4),
    "an eighth of the images, eight times as often": (8, 8),
}
"""How many times the epochs of the other ways, and what part of their images; the same recipe."""

AGAIN = {"as long, another seed": 2, "as long, a third seed": 3}
"""The long training again: which repetition of the seeds."""

Found = dict[str, tuple[float, float]]
"""Accuracy and accuracy under attack of candidates."""


def drawn(space: SearchSpace, count: int, seed: int = 0) -> list[str]:
    """So many different candidates of a space, drawn as a random search draws them."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(str(space.sample(study.ask())))
    return list(found)


def measured(evaluator: Evaluator, recipe: Recipe, texts: Sequence[str], attacked: str) -> Found:
    """Accuracy and accuracy under attack of every candidate, trained in one way."""
    RECIPES["standard"] = recipe
    values = {}
    for text in texts:
        found = dict(evaluator.measure(Candidate.parse(text), ("acc", attacked)))
        values[text] = (found["acc"].value, found[attacked].value)
        print(f"  {text:40} {found['acc'].value:.4f} {found[attacked].value:.4f}", flush=True)
    return values


def evaluator_for(args: argparse.Namespace, epochs: int, way: str, part: int = 1) -> Evaluator:
    """An evaluator with a cache of its own: the ways share a recipe's name, and must not share members."""
    budget = Budget(epochs=epochs, train_images=args.train_images // part, images=args.images)
    cache = args.cache / f"{way} {epochs}".replace(" ", "-").replace(",", "")
    return open_evaluator(dataset=args.dataset, network=args.network, epsilon=args.epsilon, budget=budget, cache=cache)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist5k")
    parser.add_argument("--network", default="mnistconv")
    parser.add_argument("--width", default="x0.5")
    parser.add_argument("--epsilon", type=float, default=2 / 255)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--long", type=int, default=40)
    parser.add_argument("--train-images", type=int, default=4000)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--drawn", type=int, help="candidates drawn from the preset, instead of the list")
    parser.add_argument("--space", default="tiny", help="the preset that they are drawn from")
    parser.add_argument("--attacked", choices=("pgd_naive", "pgd"), default="pgd_naive")
    parser.add_argument("--cache", type=Path, default=Path("runs/proxy_order"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/proxy_order.json"))
    ways = [*WAYS, *SPENT, *AGAIN]
    parser.add_argument("--ways", nargs="+", choices=ways, default=ways, help="of training, beside the long one")
    parser.add_argument("--known", type=Path, help="a result of the same settings: its long training and its ways")
    args = parser.parse_args()

    listed = [f"{text}:{args.width}" for text in CANDIDATES]
    texts = drawn(SearchSpace.preset(args.space), args.drawn) if args.drawn else listed
    known = known_result(args) if args.known else {"short": {}}
    reference = known.get("long") or long_training(args, texts)
    rows = known["short"] | {way: short_training(args, way, texts) for way in args.ways}
    table = {way: correlations(values, reference) for way, values in rows.items()}
    means = {way: correlations(values, mean_of(judges(rows, way, reference))) for way, values in rows.items()}
    print(f"\n{'way':45} {'acc':>6} {'pgd':>6}   (Spearman with {args.long} epochs, {len(texts)} candidates;")
    print(f"{'':60}   in brackets with the mean of all trainings as long)")
    for way, (acc, pgd) in table.items():
        print(f"{way:45} {acc:6.3f} {pgd:6.3f}   ({means[way][0]:.3f} {means[way][1]:.3f})")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    settings = settings_of(args) | {"ways": str(list(rows))}
    result = {"settings": settings, "spearman": table, "with_mean": means, "long": reference, "short": rows}
    args.out.write_text(json.dumps(result, indent=1) + "\n")


def known_result(args: argparse.Namespace) -> dict[str, Any]:
    """An earlier result, refused where its numbers are not comparable with what is measured now."""
    found: dict[str, Any] = json.loads(args.known.read_text())
    settings = settings_of(args)
    fixed = found["settings"].keys() & settings.keys() - {"ways", "torch", "machine"}
    if differing := sorted(name for name in fixed if found["settings"][name] != settings[name]):
        raise SystemExit(f"{args.known} was measured with another {', another '.join(differing)}")
    return found


def long_training(args: argparse.Namespace, texts: Sequence[str]) -> Found:
    """What the candidates are worth after the long training."""
    print(f"long: {args.long} epochs from scratch")
    return measured(evaluator_for(args, args.long, "from scratch"), SCRATCH, texts, args.attacked)


def short_training(args: argparse.Namespace, way: str, texts: Sequence[str]) -> Found:
    """What the candidates are worth trained in one way."""
    times, part = SPENT.get(way, (1, 1))
    epochs = args.long if way in AGAIN else args.epochs * times
    print(f"{way}: {epochs} epochs")
    if way in AGAIN:
        evaluator = evaluator_for(args, epochs, "from scratch").repeated(AGAIN[way])
    else:
        evaluator = evaluator_for(args, epochs, way, part)
    return measured(evaluator, WAYS.get(way, SCRATCH), texts, args.attacked)


def settings_of(args: argparse.Namespace) -> dict[str, str]:
    """All that the numbers depend on."""
    settings = {name: str(value) for name, value in vars(args).items() if name not in ("cache", "out", "known")}
    return settings | {"dataset": Path(args.dataset).name, "torch": torch.__version__, "machine": platform.machine()}


def judges(rows: Mapping[str, Found], way: str, reference: Found) -> list[Found]:
    """All long trainings that a way may be compared with: every one but itself."""
    return [reference, *(rows[again] for again in AGAIN if again in rows and again != way)]


def mean_of(found: Sequence[Found]) -> Found:
    """Mean accuracy and accuracy under attack of every candidate."""
    return {text: (fmean(f[text][0] for f in found), fmean(f[text][1] for f in found)) for text in found[0]}


def correlations(values: Found, reference: Found) -> list[float]:
    """Spearman's rank correlation of accuracy and of accuracy under PGD."""
    pairs = [list(zip(values[text], reference[text], strict=True)) for text in reference]
    return [float(spearmanr(*zip(*[pair[axis] for pair in pairs], strict=True)).statistic) for axis in (0, 1)]


if __name__ == "__main__":
    main()
