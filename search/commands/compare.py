"""`compare STUDY…`: hypervolume against evaluations and against time, by who proposed; as table, CSV and pictures."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.objectives import find_objectives
from search.console import note, say, say_json
from search.pictures import title_of
from search.tables.comparisons import comparison_csv, comparison_json, print_comparison, uneven
from space.errors import UserError, unwritable
from studies import Study, compare_studies
from studies.storage.files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from studies import Comparison


def execute(args: Namespace) -> int:
    """Compare, leave the files, and print the table, or JSON."""
    studies = [study for folder in args.studies if (study := _load(folder, args.out))]
    comparison = compare_studies(studies)
    paths = _write(comparison, args.out, title_of(studies[0], studies[0].records()))
    data = comparison_json(comparison)
    if warning := uneven(comparison):
        note(f"note: {warning}")
    if args.json:
        say_json(data | {"files": [str(path) for path in paths]})
    else:
        print_comparison(data)
        say(f"files: {', '.join(map(str, paths))}")
    return 0


def _load(folder: Path, out: Path) -> Study | None:
    """The study of a folder; None for that of an earlier comparison, which `runs/*` names as well."""
    try:
        return Study.load(folder)
    except UserError:
        if folder.is_dir() and folder.resolve() == out.resolve():
            return None
        raise


def _write(comparison: Comparison, folder: Path, subject: str) -> list[Path]:
    """compare.csv, compare.png, and attainment.png where there are two or three objectives."""
    from search.plots import save

    table, figures = folder / "compare.csv", _figures(comparison, subject)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(table, comparison_csv(comparison))
        for name, figure in figures.items():
            save(figure, folder / name)
    except OSError as error:
        raise unwritable(folder, error) from error
    return [table, *(folder / name for name in figures)]


def _figures(comparison: Comparison, subject: str) -> dict[str, Figure]:
    """Every picture by the name of its file."""
    from search.plots import draw_attainment, draw_comparison
    from search.plots.attainment import MOST

    groups, objectives = comparison.groups, find_objectives(comparison.config.objectives)
    runs = {name: [one.run for one in some] for name, some in groups.items()}
    figures = {"compare.png": draw_comparison(runs, subject)}
    if 2 <= len(objectives) <= MOST:
        fronts = {name: [one.front for one in some] for name, some in groups.items()}
        figures["attainment.png"] = draw_attainment(fronts, objectives, subject)
    return figures
