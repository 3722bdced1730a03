"""`worker STUDY`: one more pair of hands for a study, on this host or another."""

from __future__ import annotations

import logging
import os
from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from search.console import note, say_json
from search.formats import clock
from search.opening import evaluator_for
from search.progress import progress
from search.workers.processes import GPU_SHARE
from search.workers.signals import end_with_driver
from space import UserError
from space.shown import counted
from studies import Stop, Study

if TYPE_CHECKING:
    from evaluators import Evaluator

DONE, INTERRUPTED = 0, 130


def execute(args: Namespace) -> int:
    """Evaluate what the study's desk hands out, until its run is over."""
    end_with_driver()
    logging.getLogger("optuna").setLevel(logging.WARNING)  # it announces every study
    study = Study.load(args.study, storage=args.storage)
    stop = _stop(study, args.time)
    study.check_shared()
    study.check_versions()
    evaluator = _evaluator(study, args)
    with progress(study.config.objectives) as show:
        stopped = study.join(evaluator, stop, show)
    if args.json:
        document = {"study": str(args.study), "stopped": stopped.reason, "evaluated": stopped.evaluated}
        say_json(document | {"seconds": round(stopped.seconds, 3)})
    count = counted(stopped.evaluated, "candidate")
    note(f"{stopped.reason}: {count} evaluated in the study, {clock(stopped.seconds)} here")
    if stopped.reason == "failures":
        hint = "other workers go on; mend it and start this one again"
        raise UserError("three trials in a row failed alike", got=stopped.detail, hint=hint)
    return INTERRUPTED if stopped.reason == "interrupted" else DONE


def _stop(study: Study, seconds: float | None) -> Stop:
    """When the study's run ends, or this worker's time is up."""
    if (stop := study.stop) is None:
        raise UserError("no run to join", got=str(study.folder), hint="start `run` with this --out first")
    return replace(stop, seconds=seconds, repeats=1)


def _evaluator(study: Study, args: Namespace) -> Evaluator:
    """What the study's protocol and budget describe; UserError where this host's data differ."""
    evaluator = evaluator_for(study.config, args)
    study.check_same(evaluator)
    _limit_memory(evaluator)
    return evaluator


def _limit_memory(evaluator: Evaluator) -> None:
    """Keep to this worker's share of a GPU that several have."""
    share = float(os.environ.get(GPU_SHARE, 1))
    device = evaluator.data.train.images.device
    if device.type == "cuda" and share < 1:
        import torch

        torch.cuda.set_per_process_memory_fraction(share, device)
