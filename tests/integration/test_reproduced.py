"""Committed results of reproductions agree with the tables that the program holds, and with their own arithmetic."""

import csv
from pathlib import Path

import pytest

from studies import find_tables

FOLDER = Path(__file__).parents[2] / "docs" / "reproducing"
SHEETS = sorted(FOLDER.glob("*.csv"))


def rows(sheet: Path) -> list[dict[str, str]]:
    with sheet.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_published_figures_are_those_of_the_table(sheet):
    (table,) = find_tables(sheet.stem)
    figures = {(row.name, name): figure for row in table.rows for name, figure in row.figures.items()}
    found = {(cell["row"], cell["column"]): float(cell["published"]) for cell in rows(sheet) if cell["published"]}
    assert found == figures
    candidates = {cell["row"]: cell["candidate"].removesuffix(":x0.25") for cell in rows(sheet)}
    assert candidates == {row.name: row.candidate for row in table.rows}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_results_are_real_ones(sheet):
    measured = [cell for cell in rows(sheet) if cell["measured"]]
    assert measured
    for cell in measured:
        assert (cell["stand_in"], cell["scale"] in ("short", "paper")) == ("False", True)
        if cell["difference"]:
            assert float(cell["difference"]) == pytest.approx(float(cell["measured"]) - float(cell["published"]))
        if cell["unit"] == "%" and cell["seeds"] == "1":
            share, images = float(cell["measured"]) / 100, int(cell["images"])
            assert float(cell["stderr"]) == pytest.approx(100 * (share * (1 - share) / images) ** 0.5, abs=1e-6)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_each_has_its_page_and_picture(sheet):
    page = (FOLDER.parent / "reproducing.md").read_text(encoding="utf-8")
    for ending in ("md", "csv", "png"):
        assert sheet.with_suffix(f".{ending}").is_file()
        assert f"reproducing/{sheet.stem}.{ending}" in page
