"""The evaluator that the flags ask for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evaluators.base import Budget
from search.reading import read_source
from space.errors import UserError

if TYPE_CHECKING:
    from evaluators import Evaluator
    from studies import StudyConfig


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


def evaluator_for(config: StudyConfig, args: Namespace) -> Evaluator:
    """Open what a study's protocol and budget describe, with the data and members of this host."""
    from evaluators import open_evaluator

    protocol = config.protocol
    return open_evaluator(
        dataset=protocol.dataset,
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
        if not isinstance(error, MemoryError) and "out of memory" not in str(error):
            raise
        raise UserError("out of memory", hint="try fewer --images, or --device cpu") from error
