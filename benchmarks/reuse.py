"""A known member under a new μ, vote or ensemble: what training it costs, and what retraining would.

    python benchmarks/reuse.py

Measures single members with an empty cache, then candidates made of them; then the same candidates with an empty cache
of their own. Training steps are counted where PyTorch's optimizers take them. Seconds are the processor's.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from timing import save
from torch.optim.optimizer import register_optimizer_step_post_hook

from evaluators import Budget, Evaluator, open_evaluator
from space import Candidate

MEMBERS = ("fp", "mbn3x1", "pact2")
MADE_OF_THEM = {
    "a new μ": ("fp:mu255@1", "mbn3x1:mu255@3", "pact2:mu255@2"),
    "a new ensemble": ("fp+mbn3x1", "mbn3x1+pact2", "fp+mbn3x1+pact2"),
    "a new vote": ("fp+mbn3x1:majority", "mbn3x1+pact2:majority", "fp+mbn3x1+pact2:majority"),
}


@dataclass
class Count:
    """What an evaluation took."""

    steps: int = 0
    seconds: float = field(default_factory=lambda: -time.process_time())


@contextmanager
def counting() -> Iterator[Count]:
    """Count the steps of every optimizer, and the seconds."""
    count = Count()

    def add(*_: object) -> None:
        count.steps += 1

    hook = register_optimizer_step_post_hook(add)
    yield count
    hook.remove()
    count.seconds += time.process_time()


def measured(evaluator: Evaluator, texts: Sequence[str], width: str) -> Count:
    """Measure the clean accuracy of candidates."""
    with counting() as count:
        for text in texts:
            list(evaluator.measure(Candidate.parse(f"{text}:{width}"), ("acc",)))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist5k")
    parser.add_argument("--network", default="mnistconv")
    parser.add_argument("--width", default="x0.25")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--train-images", type=int, default=1000)
    parser.add_argument("--dry", action="store_true", help="write no results")
    args = parser.parse_args()

    torch.set_num_threads(1)
    budget = Budget(epochs=args.epochs, train_images=args.train_images)
    with tempfile.TemporaryDirectory() as folder:
        rows = compared(args, budget, Path(folder))
    if not args.dry:
        settings = {name: value for name, value in vars(args).items() if name != "dry"}
        save("reuse", {"settings": settings | {"dataset": Path(args.dataset).name}, "rows": rows})


def compared(args: argparse.Namespace, budget: Budget, folder: Path) -> dict[str, Any]:
    """Every group of candidates from known members, and from none."""

    def opened(cache: str) -> Evaluator:
        return open_evaluator(
            dataset=args.dataset, network=args.network, budget=budget, cache=folder / cache, device="cpu"
        )

    known = opened("known")
    print(f"{len(MEMBERS)} members: {measured(known, MEMBERS, args.width).steps} training steps")
    rows = {}
    for name, texts in MADE_OF_THEM.items():
        reused = measured(known, texts, args.width)
        retrained = [measured(opened(text), (text,), args.width) for text in texts]
        steps, seconds = sum(one.steps for one in retrained), sum(one.seconds for one in retrained)
        ratio = seconds / reused.seconds
        rows[name] = {"reused": asdict(reused), "retrained": {"steps": steps, "seconds": seconds}, "ratio": ratio}
        print(f"{name}: {reused.steps} training steps instead of {steps}, {ratio:.0f} times as fast", flush=True)
    return rows


if __name__ == "__main__":
    main()
