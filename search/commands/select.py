"""`select STUDY`: one candidate of a study, by limits first and a rule then, with the reason."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from search.console import console, front_table, note
from search.opening import evaluator_of_study
from search.pictures import draw_pictures
from space import UserError
from studies import Limit, Selection, Study, check_limits, select, write_selected

if TYPE_CHECKING:
    from evaluators import Evaluator


def execute(args: Namespace) -> int:
    """Choose, write selected.json, mark the choice in the picture, and say why."""
    study = Study.load(args.study, storage=args.storage)
    terms = study.config.terms.tightened(Limit.parse(text) for text in args.limit)
    check_limits(terms.limits)
    selection = select(study.records(), study.config.objectives, terms, args.rule)
    path = write_selected(study, selection, _evaluator(study, args))
    draw_pictures(study, selection.chosen.number)
    if args.json:
        print(path.read_text(encoding="utf-8").rstrip())
    else:
        _print(study, selection)
    return 0


def _evaluator(study: Study, args: Namespace) -> Evaluator | None:
    """Whom to ask for the weights; None, said on stderr, where the images are not there to be asked about."""
    try:
        return evaluator_of_study(study, args)
    except UserError as error:
        note(f"the lock file names no weights: {error}")
        return None


def _print(study: Study, selection: Selection) -> None:
    """The rule, the row, the reason, the runners-up and the knee."""
    screen, chosen, knee = console(), selection.chosen, selection.knee
    rows = [chosen, *selection.runners_up]
    print(f"rule:   {selection.rule}")
    title, sure = "selected, and runners-up", study.front_probability()
    screen.print(front_table(screen, rows, study.config.objectives, chosen.number, title, sure))
    print(f"reason: {selection.reason}")
    if selection.warning:
        print(f"warning: {selection.warning}")
    if knee and knee.number != chosen.number:
        print(f"knee:   #{knee.number} {knee.candidate} has the best trade-off")
    print(f"file:   {study.folder / 'selected.json'}")
