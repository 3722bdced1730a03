"""A filled table as Markdown for a reader and CSV for a program."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from space.errors import unwritable
from space.shown import csv_text
from studies.papers.sheet import Line, Sheet
from studies.papers.statistics import Cell
from studies.papers.table import UNKNOWN, Column
from studies.storage.files import write_text

OURS = "†"
HEADER = (
    "table",
    "row",
    "candidate",
    "column",
    "unit",
    "ours",
    "published",
    "measured",
    "stderr",
    "difference",
    "seeds",
    "images",
    "seconds",
    "scale",
    "dataset",
    "stand_in",
)
MINUS = "−"


def write_reproduction(sheet: Sheet) -> dict[str, Path]:
    """Write TABLE.md and TABLE.csv into the folder; their paths by "markdown" and "csv".

    Raises: UserError for a folder that can't be written.
    """
    folder, name = sheet.setup.folder, sheet.setup.table
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {
            "markdown": write_text(folder / f"{name}.md", markdown(sheet)),
            "csv": write_text(folder / f"{name}.csv", as_csv(sheet)),
        }
    except OSError as error:
        raise unwritable(folder, error) from error


def markdown(sheet: Sheet) -> str:
    """The table, what its marks mean, and how it was made."""
    table = sheet.setup.design
    header = ["row", "candidate", *map(heading, sheet.columns), "time"]
    lines = [
        f"# {table.name}: {table.title}",
        f"{table.paper}; measured again at scale *{sheet.setup.scale.name}*.",
        *([f"**{sheet.warning}.**"] if sheet.warning else []),
        "\n".join([_bar(header), _bar(["---"] * len(header)), *(_bar(_cells(sheet, line)) for line in sheet.lines)]),
        "\n".join(f"- {note}" for note in legend(sheet)),
        "\n".join(["| how | |", "|---|---|", *(_bar(fact) for fact in sheet.facts().items())]),
    ]
    return "\n\n".join(lines) + "\n"


def legend(sheet: Sheet) -> list[str]:
    """What the cells mean, and the notes of the table and its rows."""
    notes = [
        f"Cells: published / measured ± standard error / difference; {UNKNOWN}: not known. Accuracies in %.",
        "±: over other trainings and test images where there are several seeds, over test images alone where one.",
    ]
    if any(column.ours for column in sheet.columns):
        notes.append(f"{OURS}: not in the paper.")
    if any(line.seconds is not None and not line.trained for line in sheet.lines):
        notes.append("time: cached, where no network had to be trained for the row.")
    rows = [f"{line.row.name}: {line.row.note}" for line in sheet.lines if line.row.note]
    return [*notes, *sheet.setup.design.notes, *rows]


def heading(column: Column) -> str:
    """A column's name, with the unit of a cost and a mark where it is ours."""
    unit = f" ({column.unit})" if column.cost else ""
    return f"{column.name}{unit}{OURS if column.ours else ''}"


def cell_text(cell: Cell, column: Column) -> str:
    """`published / measured ± error / difference`; a column of ours has no published figure."""
    measured = _measured(cell, column)
    if column.ours:
        return measured
    published = UNKNOWN if cell.published is None else f"{cell.published:{'.2f' if column.cost else 'g'}}"
    return f"{published} / {measured} / {_signed(cell.difference, column)}"


def as_csv(sheet: Sheet) -> str:
    """A line per cell, in printed units and full precision; empty where nothing is known."""
    return csv_text(HEADER, ([one[name] for name in HEADER] for one in cell_records(sheet)))


def cell_records(sheet: Sheet) -> Iterator[dict[str, Any]]:
    """Every cell as a record with the keys of HEADER; None where nothing is known."""
    for line in sheet.lines:
        for column in sheet.columns:
            cell = line.cells[column.name]
            known = cell.measured is not None
            yield {
                "table": sheet.setup.table,
                "row": line.row.name,
                "candidate": line.row.candidate,
                "column": column.name,
                "unit": column.unit,
                "ours": column.ours,
                "published": cell.published,
                "measured": cell.measured,
                "stderr": cell.stderr if known else None,
                "difference": cell.difference,
                "seeds": cell.seeds,
                "images": cell.images,
                "seconds": line.seconds,
                "scale": sheet.setup.scale.name,
                "dataset": sheet.data,
                "stand_in": sheet.setup.stand_in,
            }


def _cells(sheet: Sheet, line: Line) -> list[str]:
    values = [cell_text(line.cells[column.name], column) for column in sheet.columns]
    return [line.row.name, f"`{line.row.candidate}`", *values, _time(line)]


def _measured(cell: Cell, column: Column) -> str:
    if cell.measured is None:
        return UNKNOWN
    return f"{cell.measured:.2f}" if column.cost else f"{cell.measured:.1f} ± {cell.stderr:.1f}"


def _signed(difference: float | None, column: Column) -> str:
    if difference is None:
        return UNKNOWN
    rounded = round(difference, 2 if column.cost else 1)
    return f"{rounded:+.{2 if column.cost else 1}f}".replace("-", MINUS) if rounded else "0"


def _time(line: Line) -> str:
    if line.seconds is None:
        return UNKNOWN
    minutes, seconds = divmod(round(line.seconds), 60)
    text = f"{minutes} min {seconds} s" if minutes else f"{line.seconds:.1f} s"
    return text if line.trained else f"{text}, cached"


def _bar(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
