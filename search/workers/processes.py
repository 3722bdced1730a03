"""Workers of a run on this host: as many processes, each with its share of processors and GPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from search.console import note
from search.workers.signals import DRIVER
from studies import Stopped

if TYPE_CHECKING:
    from studies.desk import Desk

LOOK, LEAVE = 0.2, 30.0
"""Seconds between two looks at the workers, and that they have to leave when the run is interrupted."""

REPLACED = 3
"""Workers in a row that may die, with nothing finished between, until the run ends."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")

GPU_SHARE = "BITFRONT_GPU_SHARE"
"""Environment variable of a worker: the part of its GPU's memory that it may take."""

USER = 2
"""Exit status of a worker that has said what is wrong."""


@dataclass
class Worker:
    """A process that evaluates.

    Attributes:
        command: its words.
        environment: its variables.
        log: where it tells what it does.
        process: as it runs now.
    """

    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it, out of reach of the terminal's Ctrl-C: the run passes that on."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def last_line(self) -> str:
        """What it said last."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.strip()), "")


class Processes:
    """Evaluates in processes of this host; each asks and tells for itself, and this one looks after them.

    Args:
        workers: not started yet.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._all = dict(enumerate(workers, start=1))
        self._failed = ""
        self._deaths, self._seen = 0, -1

    def work(self, desk: Desk) -> Stopped:
        """See `studies.runner.Hands`: until no worker has anything left to do."""
        working = dict(self._all)
        with ExitStack() as stack:
            stack.callback(self._end)
            for worker in working.values():
                worker.start()
            while working:
                desk.catch_up()
                for number in [*working]:
                    if not self._goes_on(number, desk):
                        del working[number]
                time.sleep(LOOK)
        desk.catch_up()
        return desk.end() or self._left(desk)

    def _goes_on(self, number: int, desk: Desk) -> bool:
        """Whether a worker is at work; one that died is replaced."""
        worker = self._all[number]
        status = worker.process.poll()
        if status is None:
            return True
        if status == USER:
            self._failed = worker.last_line()
            note(f"worker {number}: {self._failed}")
        if status in (0, USER):
            return False
        finished = len(desk.memory.records)
        self._deaths, self._seen = (self._deaths if finished == self._seen else 0) + 1, finished
        again = self._deaths <= REPLACED
        note(f"worker {number} {_fate(status)}; {'another takes its place' if again else worker.last_line()}")
        self._failed = "" if again else f"worker {number} {_fate(status)}"
        if again:
            worker.start()
        return again

    def _left(self, desk: Desk) -> Stopped:
        """Why workers ended before the run was to."""
        turn = desk.turn()
        if isinstance(turn, Stopped):
            return turn
        if turn is not None:
            desk.give_up(turn)
        return desk.stopped("failures", self._failed or "the workers ended early")

    def _end(self) -> None:
        """Ask those that still work to leave, and make them."""
        started = [worker for worker in self._all.values() if hasattr(worker, "process")]
        left = [worker.process for worker in started if worker.process.poll() is None]
        try:
            for process in left:
                process.send_signal(signal.SIGTERM)
            for process, seconds in zip(left, _countdown(LEAVE), strict=False):
                process.wait(seconds)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            note("a worker did not leave, and is killed; its trial is evaluated again by the next run")
        finally:
            for process in left:
                process.kill()
                process.wait()


def on_this_host(count: int, folder: Path, args: Namespace) -> Processes:
    """The workers of a run.

    Args:
        count: how many, >= 1.
        folder: of the study.
        args: of `run`; how it was started, and where data and members lie, is passed on. The storage is not: the
            folder knows it, and others can read the words of a process.
    """
    command = [sys.executable, *args.start, "worker", str(folder.absolute())]  # which never begins with a dash
    for name in ("dataset", "cache", "data_root", "time"):
        if (value := getattr(args, name)) is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    places = [*_places(count, args.device)]
    shares = {place: 1 / places.count(place) for place in places}
    common = {**os.environ, DRIVER: str(os.getpid()), **_threads(count)}
    return Processes(
        [
            Worker(
                [*command, "--device", place],
                {**common, GPU_SHARE: f"{shares[place]:.3f}"},
                folder / f"worker-{number}.log",
            )
            for number, place in enumerate(places, start=1)
        ]
    )


def _places(count: int, asked: str) -> Iterator[str]:
    """The device of each worker: a GPU of its own while there are any, unless one was named."""
    import torch

    from evaluators.opening import find_device

    device = find_device(asked)
    if device.type == "cpu" or device.index is not None:
        yield from [str(device)] * count
    else:
        yield from (f"cuda:{number % torch.cuda.device_count()}" for number in range(count))


def _threads(count: int) -> dict[str, str]:
    """Processors divided among the workers; who has set fewer keeps that."""
    mine = max(1, len(os.sched_getaffinity(0)) // count)
    return {
        name: str(min(mine, int(given)) if (given := os.environ.get(name, "")).isdigit() else mine) for name in THREADS
    }


def _fate(status: int) -> str:
    return f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with status {status}"


def _countdown(seconds: float) -> Iterator[float]:
    """What is left of so many seconds, again and again."""
    end = time.monotonic() + seconds
    while True:
        yield max(0.0, end - time.monotonic())
