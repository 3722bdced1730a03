"""Markdown and CSV of a filled table."""

import csv
import io
from pathlib import Path

import pytest

from studies.papers.machine import Machine, processor, this_machine
from studies.papers.outputs import HEADER, as_csv, cell_text, markdown, write_reproduction
from studies.papers.results import Result
from studies.papers.scales import find_scale
from studies.papers.setup import Setup
from studies.papers.sheet import Line, Sheet
from studies.papers.statistics import Cell
from studies.papers.table import Column

MACHINE = Machine(cores=16, processor="Some CPU", gpu="Some GPU")


def sheet_of(folder: Path, table: str = "A4", stand_in: bool = False) -> Sheet:
    """A sheet whose first row is measured."""
    setup = Setup(
        table=table,
        scale=find_scale("short", find(table)),
        dataset="/data/cifar10.npz",
        stand_in=stand_in,
        folder=folder,
        machine=MACHINE,
    )
    lines = []
    for index, row in enumerate(setup.design.rows):
        measured = {"measured": 77.25, "stderr": 1.26, "seeds": 1, "images": 1000} if index == 0 else {}
        cells = {one.name: Cell(published=row.figures.get(one.name), **measured) for one in setup.design.columns}
        lines.append(Line(row=row, cells=cells, seconds=125.0 if index == 0 else None, trained=1 - index))
    result = Result(
        identity={},
        measurements={},
        seconds=125.0,
        trained=1,
        machine=MACHINE.to_json(),
        versions={"torch": "2.8"},
        date="2026-01-02T03:04:05+00:00",
    )
    return Sheet(setup=setup, checksum="abc", lines=tuple(lines), results=(result,))


def find(table):
    from studies import TABLES

    return TABLES[table]


def test_a_cell_is_published_measured_difference():
    accuracy, cost, ours = Column(name="clean"), Column(name="BOPS", cost="bops"), Column(name="raw", ours=True)
    full = Cell(published=79.1, measured=77.25, stderr=1.26, seeds=1)
    assert cell_text(full, accuracy) == "79.1 / 77.2 ± 1.3 / −1.8"
    assert cell_text(full, ours) == "77.2 ± 1.3"
    assert cell_text(Cell(published=79.1), accuracy) == "79.1 / – / –"
    assert cell_text(Cell(measured=5.0), accuracy) == "– / 5.0 ± 0.0 / –"
    assert cell_text(Cell(published=6.7, measured=6.701), cost) == "6.70 / 6.70 / 0"
    assert cell_text(Cell(published=3.98, measured=3.89), cost) == "3.98 / 3.89 / −0.09"


def test_the_markdown_has_every_row_the_legend_and_how_it_was_made(tmp_path):
    text = markdown(sheet_of(tmp_path))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    header = rows[0].strip("| ").split(" | ")
    attacked = [f"{kind} {size}" for kind in ("FGSM", "raw") for size in (8, 16, 32)]
    assert header == [
        "row",
        "candidate",
        "clean",
        *attacked[:3],
        *(f"{one}†" for one in (*attacked[3:], "worst case")),
        "time",
    ]
    assert "| BNN-2b | `in2:bnn` | 81 / 77.2 ± 1.3 / −3.8 | 80 / 77.2" in text
    assert all(line.count("|") == rows[0].count("|") for line in rows[: 2 + len(find("A4").rows)])
    assert "†: not in the paper" in text
    for fact in (
        "8 epochs, 8000 training images, 1000 test images attacked, clean accuracy on all, 1 seed",
        "cifar10.npz (checksum abc)",
        "torch 2.8",
    ):
        assert fact in text
    assert "Some GPU, 16 cores of Some CPU" in text
    assert "2026-01-02" in text
    assert "2 min 5 s" in text
    assert "/data" not in text
    assert "STAND-IN" not in text


def test_a_stand_in_is_said_in_every_output(tmp_path):
    sheet = sheet_of(tmp_path, stand_in=True)
    assert "STAND-IN DATA: bundled digits" in markdown(sheet)
    assert {row["stand_in"] for row in csv.DictReader(io.StringIO(as_csv(sheet)))} == {"True"}
    assert "STAND-IN DATA: 5,000 bundled images of MNIST" in sheet_of(tmp_path, "C1", stand_in=True).warning


def test_the_csv_has_a_line_per_cell_in_full_precision(tmp_path):
    sheet = sheet_of(tmp_path)
    rows = list(csv.DictReader(io.StringIO(as_csv(sheet))))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == len(find("A4").rows) * len(find("A4").columns)
    first, last = rows[0], rows[-1]
    assert float(first["difference"]) == pytest.approx(77.25 - 81)
    assert (first["measured"], first["stderr"], first["images"]) == ("77.25", "1.26", "1000")
    assert (last["measured"], last["stderr"], last["difference"]) == ("", "", "")
    assert [row["ours"] for row in rows[:7]] == ["False"] * 4 + ["True"] * 3


def test_notes_of_table_and_rows_are_told(tmp_path):
    assert "MBN 3×3: BOPS: a misprint" in markdown(sheet_of(tmp_path, "B2"))
    assert "crafted on the full-precision member alone" in markdown(sheet_of(tmp_path, "D2-cifar"))


def test_files_are_written_and_a_folder_that_is_a_file_is_refused(tmp_path):
    from space import UserError

    paths = write_reproduction(sheet_of(tmp_path / "new"))
    assert {path.name for path in paths.values()} == {"A4.md", "A4.csv"}
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="output folder: got"):
        write_reproduction(sheet_of(tmp_path / "file"))


def test_the_machine_names_its_processor():
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.processor == processor() != ""
    assert str(Machine(cores=2, processor="P")) == "2 cores of P"
