"""`run`: search a design space, and leave the front, its pictures and one selected candidate."""

from __future__ import annotations

import json
import logging
import math
import re
import shlex
from argparse import Namespace
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.base import check_range
from evaluators.objectives import find_objectives
from search.console import by_cost, console, front_table, note, say, say_json
from search.formats import clock, operand, scientific
from search.opening import budget_of, evaluator_for, evaluator_of, gpu_name
from search.pictures import draw_pictures
from search.progress import progress
from search.tables.confirmed import origin_of
from search.workers.processes import on_this_host
from space import UnknownName, UserError, load_space
from space.shown import counted
from studies import (
    AUTO,
    PROPOSALS,
    Hands,
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

if TYPE_CHECKING:
    from evaluators import Evaluator

DONE, INTERRUPTED = 0, 130


def execute(args: Namespace) -> int:
    """Open or resume the study, run it, and tell what came out."""
    plateau = None if args.plateau is None else Plateau.parse(args.plateau)
    stop = Stop(trials=args.trials, seconds=args.time, plateau=plateau, repeats=args.repeats)
    evaluator, config = _prepare(args)
    study = Study.open(args.out or _folder(evaluator), config, storage=args.storage)
    evaluator = evaluator.under(study.config.protocol, study.config.budget)  # which may know the images by another name
    hands = _hands(args, study)
    with progress(config.objectives) as show:
        stopped = study.run(evaluator, stop, show, hands=hands)
    selection = _leave(study, evaluator)
    _announce(study, stopped, _again(args))
    if args.json:
        say_json(_document(study, stopped))
    elif selection:
        _print(study, selection, args)
    if stopped.reason == "interrupted":
        return INTERRUPTED
    _complain(study, stopped, selection)
    return DONE


def _hands(args: Namespace, study: Study) -> Hands | None:
    """Who evaluates: this process, or workers that it starts; UserError where they could not share the study."""
    check_range("workers", args.workers, 1, 10_000)
    if kind := study.network_filesystem:
        hint = "locks may not hold there; for workers on many hosts take --storage postgresql://…"
        note(f"warning: {study.folder} is on a network file system ({kind}): {hint}")
    if args.engine == "ray":
        return _cluster(args, study)
    if args.address is not None:
        raise UserError("--address", got=args.address, hint="it goes with --engine ray")
    if args.workers == 1:
        return None
    study.check_shared()
    return on_this_host(args.workers, study.folder, args)


def _cluster(args: Namespace, study: Study) -> Hands:
    """Actors that open their own evaluators, on whatever GPU Ray gives them."""
    from search.workers.cluster import Cluster

    gpu = bool(gpu_name(args.device))
    place = Namespace(**{**vars(args), "device": "cuda" if gpu else "cpu"})
    return Cluster(partial(evaluator_for, study.config, place), study.config, args.workers, args.address, gpu)


def _leave(study: Study, evaluator: Evaluator) -> Selection | None:
    """Write tables and pictures; there is nothing to write if the run was interrupted while it was set up."""
    if study.bounds is None:
        return None
    selection = write_outputs(study, evaluator=evaluator)
    draw_pictures(study)
    return selection


def _prepare(args: Namespace) -> tuple[Evaluator, StudyConfig]:
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
        full=args.full,
        margin=args.margin,
        rungs=args.rungs,
    )
    return evaluator, config


def _folder(evaluator: Evaluator) -> Path:
    """runs/DATASET-NETWORK, for one's own images by the name of their file or folder, odd signs replaced."""
    dataset = evaluator.protocol.dataset
    folder = dataset.removeprefix("folder:")
    name = Path(dataset).stem if folder == dataset else Path(folder).resolve().name  # of "." too, and all of "v1.2"
    plain = re.sub(r"[^\w.+@-]", "_", name)
    return Path("runs") / f"{plain}-{evaluator.protocol.network}"


def _again(args: Namespace) -> str:
    """The command that goes on; a folder knows its storage, and the URL's password is nobody's to read."""
    words = [*args.words]
    while "--storage" in words:
        at = words.index("--storage")
        del words[at : at + 2]
    return f"{args.program} {shlex.join(word for word in words if not word.startswith('--storage='))}"


def _announce(study: Study, stopped: Stopped, again: str) -> None:
    """Say on stderr why the run ended and how it goes on."""
    records = study.records()
    states = Counter(record.state for record in records if not record.repeats)
    repeats = sum(record.repeats for record in records)
    aside = [f"{states[state]} {state}" for state in ("vetoed", "failed", "duplicate") if states[state]]
    aside += [f"{repeats} measured again"] if repeats else []
    counts = ", ".join((f"{counted(stopped.evaluated, 'candidate')} evaluated", *aside))
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
    found = {
        name: json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None for name, path in files.items()
    }
    return {
        "study": str(study.folder),
        "stopped": stopped.reason,
        "detail": stopped.detail,
        "evaluated": stopped.evaluated,
        "seconds": round(stopped.seconds, 3),
        **(found["front"] or {}),
        "selected": found["selected"],
    }


def _print(study: Study, selection: Selection, args: Namespace) -> None:
    """The front, the selected candidate and the next command to type."""
    screen, objectives = console(), study.config.objectives
    front, chosen = by_cost(study.front(), objectives), selection.chosen
    title, sure = f"front: {counted(len(front), 'candidate')}", study.front_probability()
    screen.print(front_table(screen, front, objectives, chosen.number, title, sure))
    lines = {
        "selected": f"#{chosen.number} {chosen.candidate}",
        "from": origin_of(selection.confirmation) if selection.confirmation else "",
        "rule": selection.rule,
        "reason": selection.reason,
        "warning": selection.warning,
        "pictures": f"{study.folder / 'front.png'}, {study.folder / 'history.png'}",
        "next": _next(study, front, args),
    }
    say("\n".join(f"{name + ':':10}{text}" for name, text in lines.items() if text))


def _next(study: Study, front: list[Record], args: Namespace) -> str:
    """What to type next: the same choice among the cheaper half of the front, with the same networks and images."""
    axes = find_objectives(study.config.objectives)
    name = next((one.name for one in axes if one.stage == "cost" and not one.maximize), "bops")
    costs = sorted(record.measurements[name].value for record in front)
    limit = ["--limit", f"{name}<={scientific(_rounded_up(costs[len(costs) // 2]))}"]
    places = {"--cache": args.cache, "--data-root": args.data_root}
    place = [word for flag, value in places.items() if value is not None for word in (flag, operand(value))]
    return f"{args.program} {shlex.join(['select', operand(study.folder), *limit, *place])}"


def _rounded_up(value: float) -> float:
    """The next number of two digits: 1.41e8 becomes 1.5e8; what is not above 0 stays."""
    if value <= 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step) * step
