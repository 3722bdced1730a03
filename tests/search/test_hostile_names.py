"""Names that people give can't leave the output folder, steer a terminal, run in a spreadsheet or break out of HTML."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.diagnostics.table import Table
from search.cli import main
from search.console import console, front_table, note, say, say_json, table
from space.shown import csv_text
from studies import Study, read_lock
from studies.outputs import front_csv, trials_csv

Use = Callable[..., None]
Capture = pytest.CaptureFixture[str]
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\u202eevil\u2066",
    "=HYPERLINK(A1)",
    "<script>alert(1)</script>",
    "$x_$ $\\frac{",
    "$x_$",
    "日本",
    "a\r\nb",
    "../../escaped",
    "latin\udce9",
)
SIGNS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_printed_steers_no_terminal(name: str, capsys: Capture) -> None:
    grid = table(name, ("group", name))
    grid.add_row(name, name)
    console().print(grid)
    note(name)
    say(name)
    say_json({name: name})
    told = capsys.readouterr()
    assert not SIGNS.search(told.out + told.err)
    assert told.out.splitlines()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_data_set_of_any_name_leaves_its_study_in_runs(
    name: str, tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    use_table()
    assert main(["--trials", "2", "--dataset", f"folder:{name}"]) == 0
    told = capsys.readouterr()
    assert not SIGNS.search(told.out + told.err)
    assert [one.name for one in tmp_path.iterdir()] == ["here"]
    [folder] = (tmp_path / "here" / "runs").iterdir()
    assert re.fullmatch(r"[\w.+@-]+", folder.name)
    assert {"front.png", "front.csv"} <= {one.name for one in folder.iterdir()}
    assert main(["plot", str(folder)]) == 0
    assert main(["select", str(folder), "--json"]) == 0
    assert not SIGNS.search(capsys.readouterr().out)


def test_a_folder_whose_name_is_no_text_holds_a_study_like_others(
    tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    use_table()
    folder = "caf\udce9"  # as a file system of another encoding had it
    assert main(["--trials", "2", "--out", folder, "--json"]) == 0
    assert main(["select", folder]) == 0
    assert read_lock(folder).study == folder


@pytest.mark.parametrize("name", HOSTILE)
def test_records_from_anywhere_harm_no_table(name: str, finished: Path, capsys: Capture) -> None:
    study = Study.load(finished)
    bad = [replace(one, candidate=name, reason=name) for one in study.records()]
    for text in (trials_csv(bad, ("acc",), {}), front_csv(bad, ("acc",), {}), csv_text([name], [[name]])):
        assert not SIGNS.search(text)
        for row in csv.reader(text.splitlines()):
            assert not [cell for cell in row if cell.startswith(("=", "+", "@"))]
    screen = console()
    screen.print(front_table(screen, [one for one in bad if one.state == "complete"], ("acc",), title=name))
    assert not SIGNS.search(capsys.readouterr().out)


def test_class_names_and_labels_are_cells_like_others() -> None:
    text = Table(name="confusion", columns=("class", "=1+1"), rows=(("=2+2", 1), ("\x1b[31m", -1))).to_csv()
    assert text == "class,'=1+1\n'=2+2,1\n?[31m,-1\n"


def test_a_study_that_holds_a_hostile_record_is_refused(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    lines = (finished / "journal.log").read_text().splitlines()
    plain = [re.sub(r',"check":"[0-9a-f]{8}"}$', "}", line) for line in lines]
    record = next(json.loads(line)["user_attr"]["record"] for line in plain if '"record"' in line)
    text = "\n".join(plain).replace(f'"candidate":"{record["candidate"]}"', '"candidate":"\\u001b[2J=1"')
    (tmp_path / "journal.log").write_text(text + "\n")
    assert main(["select", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "damaged record of trial #" in told
    assert told[:-1].isprintable()
