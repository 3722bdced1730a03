"""PGD of 20 steps and 5 restarts: ours, which leaves off where an image falls, and the whole batch to the last step.

    python benchmarks/attack_speed.py
    python benchmarks/attack_speed.py --dataset cifar10.npz --network resnet20 --robust fp:fastat:x0.5

Both attack the same trained networks on the same images in the same batches: one that was trained without a thought of
attacks, and one that was trained on them. They draw starts of their own, and ours looks at every iterate, so the
accuracies may differ by a few images. The whole batch holds images that are wrong before any attack, too: what leaving
out those alone would save is told apart, by their share. Where torchattacks is installed, its PGD is a third
contestant. Passes are counted image by image; a backward one counts as two forward ones. Seconds are the processor's,
of one thread.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from plain.attack import Ensemble as PlainEnsemble
from plain.attack import pgd
from timing import fastest, save
from torch import Tensor, nn

from evaluators import Budget, Evaluator, open_evaluator
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.attacks.judging import BATCH
from evaluators.data.batches import evaluation_batches
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from space import Candidate

STEPS, RESTARTS = 20, 5
Standing = Callable[[], Tensor]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One network and the images that are attacked.

    Attributes:
        model: what is attacked.
        batches: images, float32 in [0, 1] and channels last, and labels.
        epsilon: radius.
    """

    model: Ensemble
    batches: list[tuple[Tensor, Tensor]]
    epsilon: float

    def attacked(self) -> Attacked:
        """Our attack."""
        attack, threat = Ascent(steps=STEPS, start="uniform", restarts=RESTARTS), ThreatModel(epsilon=self.epsilon)
        draws = [stream(0, "attack", str(number)) for number in range(len(self.batches))]
        return Attacked.joined(
            [attack(self.model, *batch, threat, draw) for batch, draw in zip(self.batches, draws, strict=True)]
        )

    def ours(self) -> Tensor:
        """What our attack leaves standing."""
        return ~self.attacked().broken

    def plain(self) -> Tensor:
        """What the yardstick's leaves standing."""
        torch.manual_seed(0)
        one = PlainEnsemble(list(self.model.members))
        settings: dict[str, Any] = {"epsilon": self.epsilon, "steps": STEPS, "restarts": RESTARTS}
        return torch.cat([pgd(one, images.contiguous(), labels, **settings) for images, labels in self.batches])

    def third(self) -> Tensor:
        """What that of torchattacks leaves standing."""
        from torchattacks import PGD  # type: ignore[import-not-found]

        torch.manual_seed(0)
        (network,) = self.model.members
        attack = PGD(network, eps=self.epsilon, alpha=self.epsilon / 4, steps=STEPS, random_start=True)
        standing = []
        for images, labels in self.batches:
            stands = self.model(images) == labels
            for _ in range(RESTARTS):
                stands &= self.model(attack(images.contiguous(), labels)) == labels
            standing.append(stands)
        return torch.cat(standing)

    def contestants(self) -> dict[str, Standing]:
        """By name; torchattacks where it is installed."""
        found = {"ours": self.ours, "whole batch": self.plain}
        return found | ({"torchattacks": self.third} if importlib.util.find_spec("torchattacks") else {})

    def passes(self) -> dict[str, float]:
        """Forward passes for each image, a backward one counted as two."""
        outcome, count = self.attacked(), sum(len(labels) for _, labels in self.batches)
        whole = counted(self.model, self.plain)
        return {"ours": (outcome.forwards + 2 * outcome.backwards) / count, "whole batch": whole / count}


def counted(model: Ensemble, run: Callable[[], object]) -> int:
    """Images passed through the first member of a model, those for a gradient three times."""
    seen = []

    def look(network: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen.append(len(given[0]) * (3 if given[0].requires_grad else 1))

    hook = model.members[0].register_forward_pre_hook(look)
    run()
    hook.remove()
    return sum(seen)


def measured(bench: Bench, turns: int) -> dict[str, Any]:
    """Times, passes and what stands, of all contestants."""
    contestants, passes = bench.contestants(), bench.passes()
    seconds = fastest(contestants, turns, clock=time.process_time)
    standing = {name: run() for name, run in contestants.items()}
    clean = int(sum((bench.model(images) == labels).sum() for images, labels in bench.batches))
    ratio = seconds["whole batch"] / seconds["ours"]
    return {
        "images": len(standing["ours"]),
        "clean": clean,
        "standing": {name: int(stands.sum()) for name, stands in standing.items()},
        "only ours breaks": int((standing["whole batch"] & ~standing["ours"]).sum()),
        "only the whole batch breaks": int((standing["ours"] & ~standing["whole batch"]).sum()),
        "seconds": seconds,
        "passes": passes,
        "ratio of passes": passes["whole batch"] / passes["ours"],
        "ratio": ratio,
        "ratio without the images that are wrong at first": ratio * clean / len(standing["ours"]),
    }


def opened(args: argparse.Namespace) -> Evaluator:
    budget = Budget(epochs=args.epochs, train_images=args.train_images)
    return open_evaluator(
        dataset=args.dataset,
        network=args.network,
        epsilon=args.epsilon,
        budget=budget,
        cache=args.cache,
        device="cpu",
    )


def told(name: str, row: dict[str, Any]) -> str:
    """A row as a person reads it."""
    standing = ", ".join(f"{who} {count}" for who, count in row["standing"].items())
    return (
        f"{name}: {row['ratio']:.1f} times as fast, {row['ratio of passes']:.1f} times fewer passes,"
        f" {row['ratio without the images that are wrong at first']:.1f} times as fast as one that leaves out"
        f" the images that are wrong at first; of {row['images']} images {row['clean']} are right, standing: {standing}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist5k")
    parser.add_argument("--network", default="mnistconv")
    parser.add_argument("--undefended", default="fp:x0.5")
    parser.add_argument("--robust", default="fp:pgd:x0.5")
    parser.add_argument("--epsilon", type=float)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--train-images", type=int, default=0, help="0 for all")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("runs/attack_speed"))
    parser.add_argument("--dry", action="store_true", help="write no results")
    args = parser.parse_args()

    torch.set_num_threads(1)
    evaluator, rows = opened(args), {}
    batches = list(evaluation_batches(evaluator.data.validation.head(args.images), BATCH))
    for kind in ("undefended", "robust"):
        model = evaluator.ensemble(Candidate.parse(getattr(args, kind)))
        bench = Bench(model=model, batches=batches, epsilon=evaluator.protocol.epsilon)
        rows[kind] = {"candidate": getattr(args, kind), **measured(bench, args.turns)}
        print(told(f"{kind}, {rows[kind]['candidate']}", rows[kind]), flush=True)
    if not args.dry:
        settings = {name: value for name, value in vars(args).items() if name not in ("dry", "cache")}
        settings |= {"dataset": Path(args.dataset).name, "epsilon": evaluator.protocol.epsilon}
        save(
            f"attack_speed_{args.network}",
            {"settings": settings | {"steps": STEPS, "restarts": RESTARTS}, "rows": rows},
        )


if __name__ == "__main__":
    main()
