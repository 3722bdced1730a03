"""No figure is cut where a screen is too narrow for its table."""

import re

import pytest

from search.console import table
from search.tables.narrow import print_table

Capture = pytest.CaptureFixture[str]
HEADS = ("trial", "candidate", "bops", "acc, 95 %", "verdict")
ROWS = (
    ("12", "in2:fp+pact2+xnor:mu255@1:x0.25", "1.94e8", "27.7 % [26.8, 28.6]", "suspect"),
    ("3", "fp", "", "9.4 % [4.4, 19.0]", "ok"),
)


def printed(width: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> list[str]:
    """The lines of a table on a screen of so many columns."""
    monkeypatch.setenv("COLUMNS", str(width))
    grid = table("what it is", HEADS, left=2)
    for row in ROWS:
        grid.add_row(*row)
    print_table(grid)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_every_figure_is_there_in_full(width: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    lines = printed(width, monkeypatch, capsys)
    told = "".join("".join(lines).split())
    assert max(map(len, lines)) <= width
    figures = [cell for row in ROWS for cell in (row[0], *row[2:])]
    assert all("".join(cell.split()) in told for cell in figures)


def test_a_row_that_has_no_room_is_a_list_and_says_nothing_of_blanks(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    lines = [line.rstrip() for line in printed(60, monkeypatch, capsys)]
    assert lines == [
        "what it is",
        "12  in2:fp+pact2+xnor:mu255@1:x0.25",
        "   bops 1.94e8  acc, 95 % 27.7 % [26.8, 28.6]  verdict",
        "   suspect",
        "3  fp",
        "   acc, 95 % 9.4 % [4.4, 19.0]  verdict ok",
    ]


def test_a_screen_with_room_has_the_table(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    lines = printed(100, monkeypatch, capsys)
    assert any(line.split() == ["trial", "candidate", "bops", "acc,", "95", "%", "verdict"] for line in lines)


def test_a_list_steers_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    grid = table("", ("\x1b[1mname", "\x1b[2Jvalue"), left=1)
    grid.add_row("\x1b[31mred", "\x9b" + "3" * 60)
    print_table(grid)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", capsys.readouterr().out)
