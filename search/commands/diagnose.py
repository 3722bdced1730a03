"""`diagnose SPEC`: why one candidate is as robust as it is, or only looks so."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators import DIAGNOSTICS
from search.console import note, say, say_json
from search.formats import radius
from search.opening import evaluator_of, one_evaluation
from search.tables.summaries import summary_of
from space import Candidate
from space.errors import unwritable
from space.shown import counted, line
from studies.storage.files import make_folder, write_text
from studies.storage.place import check_writable

if TYPE_CHECKING:
    from evaluators import Evaluator, Table


def execute(args: Namespace) -> int:
    """Leave a table and a picture per diagnostic, and print where they are and what they come to, or JSON."""
    from evaluators import diagnose

    candidate = Candidate.parse(args.candidate)
    evaluator = evaluator_of(args)
    evaluator.cost(candidate)  # before a folder is made for what does not fit
    folder, subject = _folder(args.out), _subject(candidate, evaluator)
    found: dict[str, dict[str, Any]] = {}
    with one_evaluation():
        for table in diagnose(evaluator, candidate, args.only, alphas=args.alphas):
            files = _leave(table, folder, subject)
            found[table.name] = {**files, "summary": summary_of(table), **table.to_json()}
            note(f"{table.name}: {DIAGNOSTICS[table.name].label}")
    if args.json:
        say_json(_document(candidate, evaluator, found))
    else:
        say("\n".join([subject, *(_line(name, one) for name, one in found.items())]))
    return 0


def _folder(path: Path) -> Path:
    """The folder, made where there is none; that it can be written is found out before any training."""
    make_folder(path)
    check_writable(path)
    return path


def _leave(table: "Table", folder: Path, subject: str) -> dict[str, str]:
    """Write NAME.csv and NAME.png; returns their paths by kind."""
    from search.plots import draw_diagnostic, save

    csv, png = (folder / f"{table.name}.{kind}" for kind in ("csv", "png"))
    figure = draw_diagnostic(table, DIAGNOSTICS[table.name].label, subject)
    try:
        write_text(csv, table.to_csv())
        save(figure, png)
    except OSError as error:
        raise unwritable(folder, error) from error
    return {"csv": str(csv), "png": str(png)}


def _subject(candidate: Candidate, evaluator: "Evaluator") -> str:
    """What every picture is of."""
    protocol, budget = evaluator.protocol, evaluator.budget
    threat = "" if protocol.threat == "raw" else f" ({protocol.threat})"
    images = min(budget.images, len(evaluator.data.validation))
    place = line(f"{Path(protocol.dataset).name}, {protocol.network}")
    return f"{candidate} on {place}, ε = {radius(protocol.epsilon)}{threat}, {counted(images, 'validation image')}"


def _document(candidate: Candidate, evaluator: "Evaluator", found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Everything needed to compare and to repeat it."""
    return {
        "candidate": str(candidate),
        "key": candidate.key(),
        "protocol": asdict(evaluator.protocol),
        "budget": asdict(evaluator.budget),
        "diagnostics": found,
    }


def _line(name: str, one: dict[str, Any]) -> str:
    return f"{name}: {one['summary']}\n  {one['csv']}\n  {one['png']}"
