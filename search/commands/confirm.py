"""`confirm STUDY`: a front and what is near it, trained again in full by fresh seeds, and attacked on test images."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.base import Budget
from evaluators.objectives import find_objectives
from search.confirming import Confirming
from search.console import note, say, say_json
from search.formats import clock, measured, radius
from search.opening import evaluator_of_study
from search.pictures import axes_of
from search.tables.confirmed import confirmation_csv, print_confirmation
from space.errors import UserError, unwritable
from space.shown import counted, line
from studies import Bench, Study, full_epochs, make_plan, read_confirmation, versions_with, write_confirmation
from studies.storage.files import make_folder, write_text
from studies.storage.place import check_writable

if TYPE_CHECKING:
    from studies import Confirmation, Record, SeedResult

DONE, INTERRUPTED = 0, 130
SPARED = "those of the finished confirmation stay until this one is finished"


def execute(args: Namespace) -> int:
    """Measure every candidate by every seed, leave confirmed.json, .csv and .png, and print who stands."""
    study = Study.load(args.study, storage=args.storage)
    folder = args.out or study.folder
    bench, confirming = _prepare(study, args, folder)
    interrupted = _measure(bench, confirming)
    confirmation = bench.confirmation(study, versions_with(confirming.evaluator))
    paths = [] if _is_behind(confirmation, folder) else _leave(folder, confirmation, title_of(study, confirmation))
    if args.json:
        say_json(confirmation.to_json())
    else:
        print_confirmation(confirmation, title_of(study, confirmation))
        say(f"files: {', '.join(map(str, paths)) or SPARED}")
    return INTERRUPTED if interrupted else DONE


def _prepare(study: Study, args: Namespace, folder: Path) -> tuple[Bench, Confirming]:
    """Check what is cheap to check, then load the data."""
    from evaluators.robustness.verification.autoattack import available
    from evaluators.robustness.verification.settings import Verification

    efforts = {name: getattr(args, name) for name in ("images", "steps", "restarts", "queries", "binarized", "twins")}
    settings, config = Verification(**efforts), study.config
    epochs = full_epochs(config.protocol.network, config.budget.epochs) if args.epochs is None else args.epochs
    budget = Budget(**{**asdict(config.budget), "epochs": epochs, "train_images": args.train_images})
    check_writable(folder)
    evaluator = evaluator_of_study(study, args, budget)
    plan = make_plan(study, budget, _plain(settings), near=args.near, seeds=args.seeds, code=evaluator.code)
    if not available():
        note("without attacks of another library: pyautoattack is not installed; pip install 'bitfront[audit]'")
    names = tuple(dict.fromkeys((*config.measured, *config.objectives)))
    confirming = Confirming(evaluator=evaluator, settings=settings, names=names, tell=_tell)
    return Bench(folder, plan), confirming


def _plain(settings: object) -> dict[str, object]:
    """Settings as JSON gives them back."""
    return dict(json.loads(json.dumps(asdict(settings))))  # type: ignore[call-overload]


def _measure(bench: Bench, confirming: Confirming) -> bool:
    """Fill the bench, candidate by candidate and seed by seed; returns whether it was interrupted."""
    pairs = [*bench.plan.pairs]
    try:
        for place, (record, seed) in enumerate(pairs):
            known = bench.find(record, seed)
            note(f"[{place + 1}/{len(pairs)}] #{record.number} {record.candidate}, seed {seed}")
            result = known or bench.obtain(record, seed, confirming.measure)
            note(f"  {_in_words(record, result, bench.plan.objectives)}{', kept from before' if known else ''}")
    except KeyboardInterrupt:
        note("interrupted; everything finished is kept, the same command goes on")
        return True
    return False


def _in_words(record: Record, result: SeedResult, objectives: tuple[str, ...]) -> str:
    """What a training came to, beside what the search had measured."""
    if result.failure:
        return result.failure
    dear = [name for name in objectives if result.measurements[name].n]
    pairs = [(name, measured(result.measurements[name]), measured(record.measurements[name])) for name in dear]
    both = [f"{name} {now} (was {then})" for name, now, then in pairs]
    return ", ".join((*both, clock(result.seconds)))


def _is_behind(confirmation: Confirmation, folder: Path) -> bool:
    """Whether it is not finished and the folder has one that is, which it would replace by less."""
    if confirmation.complete:
        return False
    try:
        before = read_confirmation(folder)
    except UserError:  # damaged: nothing is lost with it
        return False
    return before is not None and before.complete


def _leave(folder: Path, confirmation: Confirmation, title: str) -> list[Path]:
    """Write the files; UserError for a folder that can't be written."""
    from search.plots import draw_confirmation, save

    make_folder(folder)
    table, picture = folder / "confirmed.csv", folder / "confirmed.png"
    paths = [write_confirmation(folder, confirmation), table]
    try:
        write_text(table, confirmation_csv(confirmation))
        if any(row.measurements for row in confirmation.rows):
            objectives = find_objectives(axes_of(confirmation.objectives))
            save(draw_confirmation(confirmation, objectives, title), picture)
            paths.append(picture)
        else:  # one that is there is of an earlier confirmation
            picture.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return paths


def title_of(study: Study, confirmation: Confirmation) -> str:
    """What was confirmed, and how."""
    protocol, budget, count = study.config.protocol, confirmation.budget, len(confirmation.seeds)
    images = budget.train_images or "all"
    place = line(f"{Path(protocol.dataset).name}, {protocol.network}, ε = {radius(protocol.epsilon)}")
    return f"{place}: {counted(budget.epochs, 'epoch')} on {images} training images, {counted(count, 'seed')}"


def _tell(text: str) -> None:
    note(f"  {text}")
