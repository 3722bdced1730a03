"""The evaluator that the flags ask for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluators.base import Budget
from search.reading import read_source
from space.errors import UserError

if TYPE_CHECKING:
    from evaluators import Evaluator
    from evaluators.base import Protocol
    from studies import Lock, Study, StudyConfig


def budget_of(args: Namespace) -> Budget:
    """The budget flags as a Budget; UserError for what is out of range."""
    return Budget(
        epochs=args.epochs,
        train_images=args.train_images,
        images=args.images,
        steps=args.steps,
        restarts=args.restarts,
    )


def evaluator_of(args: Namespace) -> Evaluator:
    """Load the data and check network, epsilon, source and device; UserError says what does not fit."""
    budget, source = budget_of(args), read_source(args.source)
    from evaluators import open_evaluator

    evaluator = open_evaluator(
        dataset=args.dataset,
        data_root=args.data_root,
        download=args.download,
        network=args.network,
        epsilon=args.epsilon,
        threat=args.threat,
        source=source.candidate,
        seed=args.seed,
        budget=budget,
        device=args.device,
        cache=args.cache,
    )
    source.check(evaluator.protocol)
    return evaluator


def evaluator_under(
    protocol: Protocol, budget: Budget, args: Namespace, *, split_seed: int, of: str, dataset: str = ""
) -> Evaluator:
    """The evaluator of a protocol that was settled before, whatever number format this machine would train in.

    Args:
        protocol, budget: of the evaluator.
        args: say where it runs: `data_root`, `download`, `device` and `cache`.
        split_seed: of the images' split; the protocol's own seed may be of other trainings on the same images.
        of: whose protocol it is, for complaints.
        dataset: where its images lie now, "" for where the protocol says.
    Raises: UserError for other images than the protocol's, and as `evaluator_of`.
    """
    from evaluators import open_evaluator

    opened = open_evaluator(
        dataset=dataset or protocol.dataset,
        network=protocol.network,
        epsilon=protocol.epsilon,
        source=protocol.source,
        seed=split_seed,
        budget=budget,
        device=args.device,
        cache=args.cache,
        data_root=args.data_root,
        download=args.download,
    )
    if opened.protocol.checksum != protocol.checksum:
        what = f"{of} was made with other images of {protocol.dataset}"
        raise UserError(what, got=opened.protocol.checksum, expected=protocol.checksum)
    return opened.under(protocol, budget)


def evaluator_of_study(study: Study, args: Namespace, budget: Budget | None = None) -> Evaluator:
    """The study's own evaluator, or with another budget; `dataset` of `args` says where its images lie now."""
    protocol, budget = study.config.protocol, budget or study.config.budget
    of = str(study.folder)
    return evaluator_under(protocol, budget, args, split_seed=protocol.seed, of=of, dataset=args.dataset)


def evaluator_of_lock(lock: Lock, args: Namespace, dataset: str = "") -> Evaluator:
    """The evaluator that measures what a lock file describes; its `ensemble(lock.candidate)` is that very network.

    Args:
        lock: as it was read.
        args, dataset: see `evaluator_under`.
    Raises: UserError naming both checksums where the images are others, and as `evaluator_of`.
    """
    return evaluator_under(
        lock.protocol, lock.budget, args, split_seed=lock.split_seed, of="the lock file", dataset=dataset
    )


def evaluator_for(config: StudyConfig, args: Namespace) -> Evaluator:
    """Open what a study's protocol and budget describe, as this host would: it may differ, and be refused.

    `dataset` of `args` says where its images lie here, "" for where the protocol says.
    """
    from evaluators import open_evaluator

    protocol = config.protocol
    opened = open_evaluator(
        dataset=args.dataset or protocol.dataset,
        data_root=args.data_root,
        download=args.download,
        network=protocol.network,
        epsilon=protocol.epsilon,
        threat=protocol.threat,
        source=protocol.source,
        seed=protocol.seed,
        budget=config.budget,
        device=args.device,
        cache=args.cache,
    )
    return opened.under(replace(opened.protocol, dataset=protocol.dataset), config.budget)


def gpu_name(device: str) -> str:
    """Model name of the GPU that this device stands for, "" for a processor; UserError for one that is not there."""
    import torch

    from evaluators.opening import find_device

    where = find_device(device)
    return "" if where.type == "cpu" else torch.cuda.get_device_name(where)


@contextmanager
def one_evaluation() -> Iterator[None]:
    """Turn what an evaluation may run into into a UserError; a study records the same as a failed trial."""
    try:
        yield
    except FloatingPointError as error:
        raise UserError("the training diverged", got=str(error), hint="try other --epochs or --seed") from error
    except (MemoryError, RuntimeError) as error:
        from evaluators.fitting import ran_out_of_memory

        if not ran_out_of_memory(error):
            raise
        raise UserError("out of memory", hint="try fewer --images, or --device cpu") from error
