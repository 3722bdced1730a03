"""`select STUDY`: one candidate of a study, by limits first and a rule then, with the reason."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from typing import TYPE_CHECKING

from search.console import console, front_table, note, say, say_json
from search.formats import operand
from search.interactive import choose_by_hand
from search.opening import evaluator_of_study
from search.pictures import draw_pictures
from search.tables.confirmed import origin_of
from search.tables.rooms import in_words
from space import UserError
from space.shown import counted
from studies import Limit, Offer, Selection, Study, check_limits, read_lock, room_of, write_selected

if TYPE_CHECKING:
    from evaluators import Evaluator
    from studies import Room

DONE, LEFT = 0, 130


def execute(args: Namespace) -> int:
    """Choose, write selected.json, mark the choice in the picture, and say why."""
    study = Study.load(args.study, storage=args.storage)
    given = [Limit.parse(text) for text in args.limit]
    terms, objectives = study.config.terms.tightened(given), study.config.objectives
    check_limits(terms.limits)
    offer = Offer.of(study, confirmed=not args.unconfirmed)
    if args.interactive and args.rule:
        raise UserError("--interactive chooses by hand", got=args.rule, expected="no --rule beside it")
    if args.interactive:
        selection = choose_by_hand(offer, objectives, terms)
        if selection is None:
            note("nothing was chosen; selected.json is as it was")
            return LEFT
    else:
        selection = offer.select(objectives, terms, args.rule)
    rooms = [] if args.interactive else [room_of(one, offer.records, objectives, terms, args.rule) for one in given]
    evaluator, why = (None, "") if selection.confirmation else _evaluator(study, args)
    path = write_selected(study, selection, evaluator)
    members = read_lock(path).members
    if not selection.confirmation and not (members and all(one.weights for one in members)):
        note(f"the lock file names no weights: {why}")
    draw_pictures(study)
    if args.json:
        say_json(json.loads(path.read_text(encoding="utf-8")))
    else:
        _print(study, offer, selection, rooms)
    return DONE


def _evaluator(study: Study, args: Namespace) -> tuple[Evaluator | None, str]:
    """Whom to ask for the weights, and why they may be unknown; None where the images are not there to ask about."""
    try:
        return evaluator_of_study(study, args), "they are not in the cache; hint: --cache as in the run"
    except UserError as error:
        return None, str(error)


def _print(study: Study, offer: Offer, selection: Selection, rooms: list[Room]) -> None:
    """Where it comes from, the rule, the row, the reason, the runners-up, the knee, and how far limits could move."""
    screen, chosen, knee = console(), selection.chosen, selection.knee
    rows = [chosen, *selection.runners_up]
    say(f"from:   {_origin(study, selection)}")
    say(f"rule:   {selection.rule}")
    title = "selected, and runners-up"
    screen.print(front_table(screen, rows, study.config.objectives, chosen.number, title, offer.sure))
    say(f"reason: {selection.reason}")
    if selection.warning:
        say(f"warning: {selection.warning}")
    if knee and knee.number != chosen.number:
        say(f"knee:   #{knee.number} {knee.candidate} has the best trade-off")
    for room in rooms:
        say(f"limit:  {in_words(room)}")
    say(f"file:   {study.folder / 'selected.json'}")


def _origin(study: Study, selection: Selection) -> str:
    """Whether what was chosen from was confirmed, and how."""
    if selection.confirmation is not None:
        return origin_of(selection.confirmation)
    if selection.fallen:
        return f"the search's own measurements: none of {counted(selection.fallen, 'confirmed candidate')} stands"
    command = shlex.join(["confirm", operand(study.folder)])
    return f"the search's own measurements, not confirmed ones; `{command}` makes those"
