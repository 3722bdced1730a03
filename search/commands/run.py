"""`run`: search a design space, and leave the front, its pictures and one selected candidate."""

import json
import logging
import math
import shlex
from argparse import Namespace
from collections import Counter
from pathlib import Path

from search.console import by_cost, console, front_table, note
from search.formats import clock, scientific
from search.opening import budget_of, evaluator_of
from search.pictures import draw_pictures
from search.progress import progress
from space import UnknownName, UserError, load_space
from studies import (
    AUTO,
    PROPOSALS,
    Evaluates,
    Limit,
    Plateau,
    Record,
    Selection,
    Stop,
    Stopped,
    Study,
    StudyConfig,
    check_limits,
    check_rungs,
    check_sampler,
    write_outputs,
)

DONE, INTERRUPTED = 0, 130


def execute(args: Namespace) -> int:
    """Open or resume the study, run it, and tell what came out."""
    plateau = None if args.plateau is None else Plateau.parse(args.plateau)
    stop = Stop(trials=args.trials, seconds=args.time, plateau=plateau, repeats=args.repeats)
    evaluator, config = _prepare(args)
    study = Study.open(args.out or _folder(evaluator), config, storage=args.storage)
    with progress(config.objectives) as show:
        stopped = study.run(evaluator, stop, show)
    selection = _leave(study, evaluator)
    _announce(study, stopped, f"{args.program} {shlex.join(args.words)}")
    if args.json:
        print(json.dumps(_document(study, stopped), indent=2))
    elif selection:
        _print(study, selection, args.program)
    if stopped.reason == "interrupted":
        return INTERRUPTED
    _complain(study, stopped, selection)
    return DONE


def _leave(study: Study, evaluator: Evaluates) -> Selection | None:
    """Write tables and pictures; there is nothing to write if the run was interrupted while it was set up."""
    if study.bounds is None:
        return None
    selection = write_outputs(study, evaluator=evaluator)
    draw_pictures(study, selection.chosen.number if selection else None)
    return selection


def _prepare(args: Namespace) -> tuple[Evaluates, StudyConfig]:
    """Check what is cheap to check, then load the data."""
    if args.proposals not in PROPOSALS:
        raise UnknownName("proposals", args.proposals, PROPOSALS)
    limits = tuple(Limit.parse(text) for text in args.limit)
    check_limits(limits)
    space = load_space(args.space)
    check_sampler(args.sampler, space)
    check_rungs(args.rungs, budget_of(args).epochs)
    logging.getLogger("optuna").setLevel(logging.WARNING)  # it announces every study
    evaluator = evaluator_of(args)
    config = StudyConfig(
        objectives=args.objectives,
        space=space,
        protocol=evaluator.protocol,
        budget=evaluator.budget,
        sampler=args.sampler,
        seed=args.seed,
        limits=limits,
        allow_masked=args.allow_masked,
        proposals=args.proposals,
        rungs=args.rungs,
    )
    return evaluator, config


def _folder(evaluator: Evaluates) -> Path:
    """runs/DATASET-NETWORK, for one's own images by the name of their file or folder."""
    dataset = Path(evaluator.protocol.dataset.removeprefix("folder:")).stem
    return Path("runs") / f"{dataset}-{evaluator.protocol.network}"


def _announce(study: Study, stopped: Stopped, again: str) -> None:
    """Say on stderr why the run ended and how it goes on."""
    records = study.records()
    states = Counter(record.state for record in records if not record.repeats)
    repeats = sum(record.repeats for record in records)
    aside = [f"{states[state]} {state}" for state in ("vetoed", "failed", "duplicate") if states[state]]
    aside += [f"{repeats} measured again"] if repeats else []
    counts = ", ".join((f"{stopped.evaluated} candidates evaluated", *aside))
    plateau = f"plateau: {stopped.detail}"
    known = {"seconds": "time is up", "space exhausted": "nothing is left to try", "plateau": plateau}
    why = known.get(stopped.reason, "")
    note("; ".join(filter(None, (f"{counts} in {clock(stopped.seconds)}", why, f"all in {study.folder}"))))
    if study.choice and study.choice.asked == AUTO:
        note(f"sampler: {study.choice.chosen}, for {study.choice.reason}")
    if stopped.reason == "interrupted":
        note(f"interrupted; everything finished is kept, resume with: {again}")


def _complain(study: Study, stopped: Stopped, selection: Selection | None) -> None:
    """Raise UserError if the run ended in failures, or without anything to select."""
    if stopped.reason == "failures":
        hint = "mend it and give the same command again; finished trials are kept"
        raise UserError("three trials in a row failed alike", got=stopped.detail, hint=hint)
    if selection is None:
        raise UserError(
            "no candidate to select",
            got=f"{stopped.evaluated} evaluated, none complete, within the limits and unmasked",
            hint=f"{study.folder / 'trials.csv'} says why; loosen --limit or raise --trials",
        )


def _document(study: Study, stopped: Stopped) -> dict[str, object]:
    """The files that programs read, in one object."""
    files = {name: study.folder / f"{name}.json" for name in ("front", "selected")}
    found = {name: json.loads(path.read_text()) if path.is_file() else None for name, path in files.items()}
    return {
        "study": str(study.folder),
        "stopped": stopped.reason,
        "detail": stopped.detail,
        "evaluated": stopped.evaluated,
        "seconds": round(stopped.seconds, 3),
        **(found["front"] or {}),
        "selected": found["selected"],
    }


def _print(study: Study, selection: Selection, program: str) -> None:
    """The front, the selected candidate and the next command to type."""
    screen, objectives = console(), study.config.objectives
    front, chosen = by_cost(study.front(), objectives), selection.chosen
    title, sure = f"front: {len(front)} candidates", study.front_probability()
    screen.print(front_table(screen, front, objectives, chosen.number, title, sure))
    lines = {
        "selected": f"#{chosen.number} {chosen.candidate}",
        "rule": selection.rule,
        "reason": selection.reason,
        "warning": selection.warning,
        "pictures": f"{study.folder / 'front.png'}, {study.folder / 'history.png'}",
        "next": _next(study, front, program),
    }
    print("\n".join(f"{name + ':':10}{text}" for name, text in lines.items() if text))


def _next(study: Study, front: list[Record], program: str) -> str:
    """What to type next: the same choice among the cheaper half of the front."""
    costs = sorted(record.measurements["bops"].value for record in front)
    limit = ["--limit", f"bops<={scientific(_rounded_up(costs[len(costs) // 2]))}"]
    return f"{program} {shlex.join(['select', str(study.folder), *limit])}"


def _rounded_up(value: float) -> float:
    """The next number of two digits: 1.41e8 becomes 1.5e8; `value` > 0."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step) * step
