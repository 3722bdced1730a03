"""Workers of a run on a Ray cluster: actors evaluate, this process alone asks and tells."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from search.console import note
from search.workers.processes import REPLACED
from space import Candidate, UserError
from studies import Stopped

if TYPE_CHECKING:
    from studies import Evaluates, StudyConfig
    from studies.desk import Desk
    from studies.task import Task
    from studies.trial import Judges, Outcome

LOOK = 0.5
"""Seconds after which the driver looks at other things than its actors."""

ON_OTHER_HOSTS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Environment variable by which Ray, on any system, listens on 127.0.0.1 alone; read when Ray is imported."""

Make = Callable[[], "Evaluates"]


class Evaluating:
    """What an actor does, in a process somewhere in the cluster.

    Args:
        make: opens the evaluator there.
        config: of the study; other data than its own are refused.
    """

    def __init__(self, make: Make, config: StudyConfig) -> None:
        self._evaluator, self._config = make(), config
        if (self._evaluator.protocol, self._evaluator.budget) != (config.protocol, config.budget):
            raise UserError("an actor's data, or its device, are others than the study's")

    def evaluate(self, candidate: str, gate: Judges) -> Outcome:
        """The outcome of a candidate; the gate judges by what was known when it was sent."""
        from studies.trial import evaluate

        return evaluate(self._evaluator, Candidate.parse(candidate), self._config, lambda name, one: None, gate)


class Cluster:
    """Evaluates in the actors of a Ray cluster. The trial of an actor that is lost goes to another.

    Args:
        make: opens an evaluator, in the process of an actor.
        config: of the study.
        count: actors.
        address: of a running cluster; one of our own, for this host alone, where left out.
        gpu: whether actors share the GPUs.
    """

    def __init__(
        self, make: Make, config: StudyConfig, count: int, address: str | None = None, gpu: bool = False
    ) -> None:
        self._make, self._config, self._count, self._address, self._gpu = make, config, count, address, gpu
        self._lost, self._seen = 0, -1

    def work(self, desk: Desk) -> Stopped:
        """See `studies.runner.Hands`."""
        with connected(self._address) as ray:
            idle = [self._actor(ray) for _ in range(self._count)]
            running: dict[Any, tuple[Any, Task]] = {}
            try:
                return self._worked(ray, desk, idle, running)
            finally:
                for _, task in running.values():
                    desk.give_up(task)

    def _worked(self, ray: Any, desk: Desk, idle: list[Any], running: dict[Any, tuple[Any, Task]]) -> Stopped:
        """Keep all actors at work until the desk says to stop, and what they have begun is done."""
        stopped: Stopped | None = None
        while stopped is None or running:
            while idle and stopped is None:
                turn = desk.turn()
                if isinstance(turn, Stopped):
                    stopped = turn
                elif turn is None:
                    break
                elif (known := begun(desk, turn)) is not None:
                    desk.hand_in(turn, known)
                else:
                    actor = idle.pop()
                    running[actor.evaluate.remote(str(turn.candidate), desk.gate)] = actor, turn
            done, _ = ray.wait([*running], timeout=LOOK) if running else ([], [])
            for future in done:
                stopped = self._returned(ray, desk, future, running.pop(future), idle) or stopped
        return stopped

    def _returned(self, ray: Any, desk: Desk, future: Any, sent: tuple[Any, Task], idle: list[Any]) -> Stopped | None:
        """Take an outcome in, or replace the actor that was to bring it; why the run ends, where none stays alive."""
        actor, task = sent
        try:
            outcome = ray.get(future)
        except ray.exceptions.RayError as error:
            desk.lose(task)
            finished = len(desk.memory.records)
            self._lost, self._seen = (self._lost if finished == self._seen else 0) + 1, finished
            reason = " ".join(str(error).split())[:200]
            if self._lost > REPLACED * self._count:
                return desk.stopped("failures", f"actors are lost: {reason}")
            note(f"an actor was lost, #{task.number} goes to another: {reason}")
            idle.append(self._actor(ray))
            return None
        desk.hand_in(task, outcome)
        idle.append(actor)
        return None

    def _actor(self, ray: Any) -> Any:
        resources = ray.cluster_resources()
        share = {"num_cpus": _share(resources.get("CPU", 1.0), self._count)}
        if self._gpu:
            share["num_gpus"] = _share(resources.get("GPU", 0.0), self._count)
        return ray.remote(Evaluating).options(**share).remote(self._make, self._config)


def begun(desk: Desk, task: Task) -> Outcome | None:
    """Announce a trial; its outcome, where nothing is left to evaluate."""
    from studies.trial import Outcome

    if task.stored:
        return Outcome(state="failed", measurements={})  # stands for what is stored
    desk.begin(task.number, str(task.candidate))
    return task.known


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster, or to one of our own that ends with this; UserError where there is none."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address is None:
        os.environ.setdefault(ON_OTHER_HOSTS, "0")
    try:
        import ray
    except ImportError as error:
        hint = "pip install 'bitfront[ray]'"
        raise UserError("--engine ray", expected="the package ray", hint=hint) from error
    before = signal.getsignal(signal.SIGTERM)
    own: dict[str, Any] = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        expected = "the address of a running Ray cluster"
        raise UserError("--address", got=address, expected=expected, hint=" ".join(str(error).split())[:160]) from error
    try:
        signal.signal(signal.SIGTERM, before)  # Ray has set its own, which keeps nothing
        yield ray
    finally:
        ray.shutdown()


def _share(whole: float, count: int) -> float:
    """What each of so many actors may take: whole ones while there are enough, else equal parts of what there is."""
    return float(whole // count) if whole >= count else whole / count
