"""What `audit` is asked to look at: the front of a study under its own protocol, or one candidate."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.base import Budget
from evaluators.verdict import JUDGED
from search.console import by_cost
from search.flags.shared import PLACE_FLAGS, PROTOCOL_FLAGS, TRAINING_FLAGS
from search.opening import evaluator_of, evaluator_of_study
from space import Candidate, UserError
from studies import Record, Study

if TYPE_CHECKING:
    from evaluators import Evaluator


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is audited.

    Attributes:
        evaluator: with the protocol and budget of the search.
        candidates: with their own trials, where they come from a study.
        objectives: whose front it is.
        study: its folder, if any.
    """

    evaluator: Evaluator
    candidates: Sequence[tuple[Candidate, Record | None]]
    objectives: tuple[str, ...] = (JUDGED,)
    study: Path | None = None


def read_subject(args: Namespace) -> Subject:
    """A candidate under the protocol of the flags, or the front of a study under its own."""
    try:
        candidate = Candidate.parse(args.subject)
    except UserError as error:
        if not Path(args.subject).is_dir():
            expected, hint = "a candidate, or the folder of a run", error.hint or error.what
            raise UserError("nothing to audit", got=args.subject, expected=expected, hint=hint) from None
        return _study(args)
    usual = Budget()  # the flags of these names are the audit's own
    searched = {name: getattr(usual, name) for name in ("images", "steps", "restarts")}
    evaluator = evaluator_of(Namespace(**{**vars(args), **searched}))
    return Subject(evaluator=evaluator, candidates=[(candidate, None)])


def _study(args: Namespace) -> Subject:
    own = {*PROTOCOL_FLAGS, *TRAINING_FLAGS} - {*PLACE_FLAGS}
    typed = [word.split("=")[0] for word in args.words]
    if given := [name for name in typed if name in own]:
        raise UserError("a study has its own protocol and budget", got=given[0], expected="a candidate with that flag")
    dataset = args.dataset if "--dataset" in typed else ""
    study = Study.load(args.subject, storage=args.storage)
    objectives = study.config.objectives
    members, trials = by_cost(study.front(), objectives), {one.number: one for one in study.records()}
    if not members:
        raise UserError("no front to audit", got=args.subject, hint="trials.csv says why; run goes on with the study")
    return Subject(
        evaluator=evaluator_of_study(study, Namespace(**{**vars(args), "dataset": dataset})),
        # A mean over repetitions is of no network; what is audited is the one that the study's own seed trains.
        candidates=[(Candidate.parse(one.candidate), trials[one.number]) for one in members],
        objectives=objectives,
        study=study.folder,
    )
