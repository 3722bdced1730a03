"""Trials an hour with one worker and with two, as processes that meet in PostgreSQL or a journal, and as Ray's actors.

    python benchmarks/workers.py
    python benchmarks/workers.py --trials 24 --engines journal postgresql ray

Every study evaluates the same candidates, drawn by chance, each to its end, from an empty cache. The rate is that
between the first finished trial and the last, so that starting processes, once a study, is not part of it. A worker has
one thread: two have two processors where one has one.
"""

import argparse
import os
import sys
import tempfile
import time
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from servers import Server
from timing import save

from evaluators import Budget, open_evaluator
from search.opening import evaluator_for
from search.workers.cluster import Cluster
from search.workers.processes import on_this_host
from space import load_space
from studies import Event, Stop, Study, StudyConfig, TrialFinished

ENGINES = ("journal", "postgresql", "ray")
GOAL = 1.85
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Finished:
    """When trials that were paid for ended, in seconds."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def hear(self, event: Event) -> None:
        """Note the end of a trial."""
        if isinstance(event, TrialFinished) and event.record.evaluated:
            self.times.append(time.perf_counter())

    @property
    def rate(self) -> float:
        """Trials an hour."""
        return 3600 * (len(self.times) - 1) / (self.times[-1] - self.times[0])


def run(args: argparse.Namespace, engine: str, workers: int, url: str | None, folder: Path) -> dict[str, Any]:
    """One study; its rate."""
    place = Namespace(
        storage=None, cache=str(folder / "cache"), data_root=None, time=None, device="cpu", download=False
    )
    budget = Budget(epochs=args.epochs, train_images=args.train_images, images=args.images)
    evaluator = open_evaluator(dataset="mnist5k", budget=budget, device="cpu", cache=place.cache)
    config = StudyConfig(
        objectives=("acc", "pgd", "bops"),
        space=load_space("tiny"),
        protocol=evaluator.protocol,
        budget=budget,
        sampler="random",
        proposals="off",
        full=True,
    )
    study, finished = Study.open(folder / "study", config, url), Finished()
    hands = (
        Cluster(partial(evaluator_for, config, place), config, workers)
        if engine == "ray"
        else on_this_host(workers, study.folder, place)
    )
    stopped = study.run(evaluator, Stop(trials=args.trials), finished.hear, hands=hands)
    if stopped.reason == "interrupted":
        raise KeyboardInterrupt
    row = {"engine": engine, "workers": workers, "trials": stopped.evaluated, "trials an hour": finished.rate}
    print(f"{engine}, {workers}: {finished.rate:.0f} trials an hour", file=sys.stderr, flush=True)
    return row


def compared(args: argparse.Namespace, server: Server | None) -> list[dict[str, Any]]:
    """All engines, with one worker and with two."""
    rows = []
    for engine in args.engines:
        pair = []
        for workers in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                url = server.fresh() if server and engine == "postgresql" else None
                pair.append(run(args, engine, workers, url, Path(folder)))
        ratio = pair[1]["trials an hour"] / pair[0]["trials an hour"]
        print(f"{engine}: {ratio:.2f} times as many with two (goal {GOAL})", flush=True)
        rows += [row | {"ratio": ratio} for row in pair]
    return rows


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--train-images", type=int, default=2000)
    parser.add_argument("--images", type=int, default=64, help="attacked")
    parser.add_argument("--dry", action="store_true", help="write no results")
    return parser.parse_args()


def main() -> None:
    args = parsed()
    os.environ |= dict.fromkeys(ONE_THREAD, "1")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        server = Server(Path(folder) / "s") if "postgresql" in args.engines else None
        if server:
            server.start()
        try:
            rows = compared(args, server)
        finally:
            if server:
                server.stop()
    if not args.dry:
        settings = {name: value for name, value in vars(args).items() if name != "dry"}
        save("workers", {"settings": settings, "goal": GOAL, "rows": rows})


if __name__ == "__main__":
    main()
