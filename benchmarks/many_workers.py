"""Up to 1,024 workers in one study, simulated: what they find, how stale the sampler's view is, what gives way first.

    python benchmarks/many_workers.py
    python benchmarks/many_workers.py --workers 1 16 256 --trials 200 --dry

The study is real: its desk asks and tells, its journal holds every trial, and what a trial takes and brings is the
recorded table's (benchmarks/table/mnist5k.json.gz), stretched in time to trainings of minutes. The clock is virtual,
and so are the workers: an event for each end of a trial. A member that two candidates need is trained once; the second
waits, as it does for a lease. Workers have their turns one after the other, each as long as a turn takes on PostgreSQL,
which is measured first, by processes that ask and tell and do nothing between.
"""

import argparse
import heapq
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from servers import Server
from timing import save

from studies import Stop, Stopped, Study, StudyConfig, hypervolume_trace
from studies.desk import Desk
from studies.replay import Replay, Table, member_names
from studies.task import Task
from studies.trial import Outcome, evaluate

HERE = Path(__file__).parent
TABLE = HERE / "table" / "mnist5k.json.gz"
PICTURE = HERE.parent / "docs" / "scale.png"
WORKERS = (1, 4, 16, 64, 256, 1024)
SHARES = (0.9, 0.99)
"""Of the hypervolume of the whole table."""


def study_config(table: Table, sampler: str = "tpe") -> StudyConfig:
    return StudyConfig(
        objectives=("acc", "pgd", "bops"),
        space=table.space,
        protocol=table.protocols[0],
        budget=table.budget,
        sampler=sampler,
        proposals="off",
    )


class Simulated:
    """So many workers on a virtual clock; see `studies.runner.Hands`.

    Args:
        replay: answers, and says what each answer took.
        table: what it answers from.
        count: workers.
        turn: seconds that each has its turn, nobody else meanwhile.
        stretch: how many times as long everything takes as in the table.
    """

    def __init__(self, replay: Replay, table: Table, count: int, turn: float, stretch: float) -> None:
        self._replay, self._table, self._count, self._turn, self._stretch = replay, table, count, turn, stretch
        self.now, self._free = 0.0, 0.0
        self._ready: dict[str, float] = {}
        self.unseen: list[int] = []
        self.busy = self.queued = 0.0

    def clock(self) -> float:
        """Virtual seconds."""
        return self.now

    def work(self, desk: Desk) -> Stopped:
        """Hand out trials as workers get free, and take them in as they end."""
        free, running, order = [0.0] * self._count, list[tuple[float, int, Task, Outcome]](), 0
        stopped: Stopped | None = None
        while stopped is None or running:
            turn: Task | Stopped | None = None
            if stopped is None and free and (not running or max(free[0], self._free) <= running[0][0]):
                asked = heapq.heappop(free)
                self.now = max(asked, self._free, self.now)
                turn = desk.turn()
                if isinstance(turn, Task):
                    self._free = self.now + self._turn
                    self.queued += self._free - asked
                    self.unseen.append(len(running))
                    outcome, seconds = self._evaluated(desk, turn)
                    heapq.heappush(running, (self._free + seconds, order, turn, outcome))
                    order += 1
                    continue
                heapq.heappush(free, asked)
                stopped = turn
            if running:
                self.now, _, task, outcome = heapq.heappop(running)
                desk.hand_in(task, outcome)
                heapq.heappush(free, self.now)
                free = [max(one, self.now) for one in free]
                heapq.heapify(free)
        return stopped

    def _evaluated(self, desk: Desk, task: Task) -> tuple[Outcome, float]:
        """What a trial brings, and how long it takes from its turn on."""
        if task.known:
            return task.known, 0.0
        report, members = desk.begin(task.number, str(task.candidate)), member_names(task.candidate)
        before, at, fresh = self._replay.seconds, self._free, {*members} - self._ready.keys()
        outcome = evaluate(self._replay, task.candidate, study_config(self._table), report, desk.gate)
        spent = (self._replay.seconds - before) * self._stretch
        began = max([at, *(self._ready[name] for name in members if name in self._ready)])
        for name in sorted(fresh):
            began += self._table.members[0][name] * self._stretch
            self._ready[name] = began
        self.busy += spent
        trained = sum(self._table.members[0][name] * self._stretch for name in fresh)
        return outcome, began - at + spent - trained


def simulate(table: Table, count: int, trials: int, turn: float, stretch: float) -> dict[str, Any]:
    """One study; its hypervolume over time, and what the workers waited for."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(table)
        hands = Simulated(replay, table, count, turn, stretch)
        study = Study.open(folder, study_config(table))
        stopped = study.run(replay, Stop(trials=trials), clock=hands.clock, hands=hands)
        records, bounds = study.records(), study.bounds
        assert bounds is not None
        trace = hypervolume_trace(sorted(records, key=lambda one: one.at), study.config.objectives, bounds)
        lines = len((Path(folder) / "journal.log").read_bytes().splitlines())
    return {
        "workers": count,
        "trials": stopped.evaluated,
        "seconds": hands.now,
        "trials an hour": 3600 * stopped.evaluated / hands.now,
        "unseen at an ask": float(np.mean(hands.unseen)),
        "share of time at work": hands.busy / (count * hands.now),
        "seconds waited for a turn": hands.queued / len(hands.unseen),
        "journal lines per trial": lines / len(records),
        "real seconds": time.perf_counter() - began,
        "hypervolume": [list(pair) for pair in trace],
    }


def ask_and_tell(folder: Path, trials: int) -> None:
    """A worker that does nothing between its asks."""
    Study.load(folder).join(Replay(Table.load(TABLE)), Stop(trials=trials))


def limit(table: Table, processes: int, trials: int) -> dict[str, Any]:
    """How many trials a second processes can ask for and tell of, in one PostgreSQL study on this host."""
    import psycopg

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        server = Server(Path(folder) / "s")
        server.start()
        try:
            url = server.fresh()
            study = Study.open(Path(folder) / "study", study_config(table, "random"), url)
            study.run(Replay(table), Stop(trials=1))
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                count = "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"
                before, began = connection.execute(count).fetchone(), time.perf_counter()
                words = (Path(folder) / "study", trials)
                make = multiprocessing.get_context("fork").Process
                workers = [make(target=ask_and_tell, args=words) for _ in range(processes)]
                for one in workers:
                    one.start()
                for one in workers:
                    one.join()
                seconds = time.perf_counter() - began
                time.sleep(2.0)  # the server counts with a delay
                connection.rollback()
                after = connection.execute(count).fetchone()
            assert before and after
            return {
                "processes": processes,
                "trials a second": (trials - 1) / seconds,
                "transactions a second": float(after[0] - before[0]) / seconds,
                "transactions per trial": float(after[0] - before[0]) / (trials - 1),
            }
        finally:
            server.stop()


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Hypervolume against time, and what becomes of the workers' time."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for row in rows:
        times, volumes = zip(*row["hypervolume"], strict=True)
        left.step([max(one, 1.0) / 3600 for one in times], volumes, where="post", label=f"{row['workers']}")
    left.set(xscale="log", xlabel="hours, virtual", ylabel="hypervolume", title="What is found, by workers")
    left.legend(title="workers", fontsize=8)
    counts = [row["workers"] for row in rows]
    unseen = [row["unseen at an ask"] / row["trials"] for row in rows]
    right.plot(counts, [row["share of time at work"] for row in rows], "o-", label="share of their time at work")
    right.plot(counts, unseen, "s--", label="share of all trials that an ask does not see")
    right.set(xscale="log", xlabel="workers", ylim=(0, 1.05), title="What becomes of it")
    right.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def page(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The rows of the table in docs/scale.md."""
    lines = []
    for row in rows:
        times = row["seconds to shares of the best hypervolume"].values()
        cells = [f"{row['workers']:,}", f"{row['trials an hour']:.0f}", f"{row['share of time at work']:.0%}"]
        cells += [f"{row['unseen at an ask']:.0f}", f"{row['seconds waited for a turn']:.2f}"]
        cells += ["not" if one is None else f"{one / 60:.0f}" for one in times]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def reached(row: dict[str, Any], goal: float) -> dict[str, float | None]:
    """Virtual seconds to shares of a hypervolume."""
    times = {share: [at for at, volume in row["hypervolume"] if volume >= share * goal] for share in SHARES}
    return {f"{share:.0%}": min(found, default=None) for share, found in times.items()}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS))
    parser.add_argument("--trials", type=int, default=200, help="of the table's 696 candidates")
    parser.add_argument("--stretch", type=float, default=60.0, help="times as long as in the table")
    parser.add_argument("--processes", type=int, default=2, help="that measure PostgreSQL's limit")
    parser.add_argument("--asked", type=int, default=60, help="trials by which they do")
    parser.add_argument("--dry", action="store_true", help="write no results")
    return parser.parse_args()


def main() -> None:
    args, table = parsed(), Table.load(TABLE)
    measured = limit(table, args.processes, args.asked)
    print(f"PostgreSQL: {measured['trials a second']:.1f} trials a second", file=sys.stderr, flush=True)
    rows = []
    for count in args.workers:
        rows.append(simulate(table, count, args.trials, 1 / measured["trials a second"], args.stretch))
        shown = {name: value for name, value in rows[-1].items() if name != "hypervolume"}
        print(shown, file=sys.stderr, flush=True)
    goal = max(row["hypervolume"][-1][1] for row in rows)
    for row in rows:
        row["seconds to shares of the best hypervolume"] = reached(row, goal)
    print(*page(rows), sep="\n", flush=True)
    if not args.dry:
        settings = {name: value for name, value in vars(args).items() if name != "dry"}
        save("many_workers", {"settings": settings, "postgresql": measured, "rows": rows})
        draw(rows, PICTURE)


if __name__ == "__main__":
    main()
