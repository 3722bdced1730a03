"""Running a table: every row and seed that is not measured yet, several at once where there is room."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace

from evaluators import base
from space.errors import UserError
from studies.papers.machine import available_cores
from studies.papers.results import Result, measure_row, read_result
from studies.papers.setup import Setup, open_judge
from studies.papers.table import Row

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MOST_JOBS = 8
"""Rows at once, at most, unless the user asks for more: each holds a network, its gradients and Adam's moments."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row with one seed."""

    row: Row
    seed: int

    def __str__(self) -> str:
        return f"{self.row.name}, seed {self.seed}"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What came of a job: a result, or the reason why there is none."""

    job: Job
    result: Result | None
    reason: str = ""


Show = Callable[[Finished], None]


class Reproduction:
    """A table's results in a folder, and the way to complete them.

    Attributes:
        setup: what all rows have in common.
        protocol: of seed 0; the other seeds differ in nothing else.
    """

    def __init__(self, setup: Setup) -> None:
        """Load the data once, to know what results must be of; UserError for what does not fit."""
        self.setup = setup
        self.protocol: base.Protocol = open_judge(setup, 0).protocol

    def jobs(self, rows: Iterable[Row]) -> list[Job]:
        """Every row with every seed, the first seed of all rows first."""
        every = tuple(rows)
        return [Job(row=row, seed=seed) for seed in range(self.setup.scale.seeds) for row in every]

    def result(self, job: Job) -> Result | None:
        """The stored result of a job, if it is of this setup."""
        identity = self.setup.identity(job.row, replace(self.protocol, seed=job.seed))
        return read_result(self.setup.path(job.row, job.seed), identity)

    def pending(self, rows: Iterable[Row]) -> list[Job]:
        """The jobs that have no result yet."""
        return [job for job in self.jobs(rows) if self.result(job) is None]

    def run(self, jobs: Sequence[Job], processes: int, show: Show) -> None:
        """Measure the jobs; each result is on disk before `show` hears of it.

        Args:
            jobs: what to measure.
            processes: how many at once; one stays in this process.
            show: is told of every job as it ends, also of one that failed.
        """
        if min(processes, len(jobs)) <= 1:
            for job in jobs:
                show(_attempt(self.setup, job))
            return
        self._run_beside(jobs, min(processes, len(jobs)), show)

    def _run_beside(self, jobs: Sequence[Job], processes: int, show: Show) -> None:
        context = multiprocessing.get_context("spawn")
        with (
            _shared_cores(processes),
            ProcessPoolExecutor(processes, mp_context=context, initializer=_leave_interrupts) as pool,
        ):
            try:
                for done in as_completed([pool.submit(_attempt, self.setup, job) for job in jobs]):
                    show(done.result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in multiprocessing.active_children():
                    process.terminate()
                raise


def usual_jobs(setup: Setup) -> int:
    """How many rows to run at once: one at smoke, whose rows take less time than a process takes to start."""
    if setup.scale.name == "smoke":
        return 1
    cores = available_cores()
    return max(1, min(MOST_JOBS, cores // 4 if setup.machine.gpu else cores))


def _attempt(setup: Setup, job: Job) -> Finished:
    """Measure a job; what a single row may run into does not end the others."""
    try:
        return Finished(job=job, result=measure_row(setup, job.row, job.seed))
    except FloatingPointError as error:
        return Finished(job=job, result=None, reason=f"the training diverged: {error}")
    except UserError as error:
        return Finished(job=job, result=None, reason=str(error))
    except (MemoryError, RuntimeError) as error:
        from evaluators.fitting import ran_out_of_memory

        if not ran_out_of_memory(error):
            raise
        return Finished(job=job, result=None, reason="out of memory: try fewer --jobs")


def _leave_interrupts() -> None:
    """Ctrl-C reaches the whole group; only the parent is to answer it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _shared_cores(processes: int) -> Iterator[None]:
    """Let processes started within share the cores out, where the user's environment does not say."""
    share = str(max(1, available_cores() // processes))
    mine = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(mine, share))
    try:
        yield
    finally:
        for name in mine:
            os.environ.pop(name, None)
