"""`reproduce`, as a process and table by table."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from evaluators.base import Measurement
from search.cli import main
from search.plots import draw_reproduction
from search.plots.reproduction import MEASURED, OURS, PUBLISHED
from studies import TABLES, Setup, Sheet, find_scale, this_machine
from studies.papers.sheet import Line
from studies.papers.statistics import Cell, make_cell

Call = Callable[..., "subprocess.CompletedProcess[str]"]
Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of all tables of this module, with one cache of members."""
    return tmp_path_factory.mktemp("reproduce")


def texts_fit(figure: Figure) -> bool:
    """Whether every text is inside the figure."""
    figure.draw_without_rendering()
    whole = figure.bbox
    boxes = [one.get_window_extent() for one in figure.texts]
    boxes += [label.get_window_extent() for axes in figure.axes for label in axes.get_yticklabels()]
    return all(whole.x0 <= box.x0 and box.x1 <= whole.x1 for box in boxes)


def has(picture: np.ndarray, color: str) -> bool:
    return bool((np.abs(picture[..., :3] - to_rgb(color)).max(axis=-1) < 0.02).any())


@pytest.mark.parametrize("name", TABLES)
def test_every_table_runs_at_smoke(name: str, shared: Path, capsys: Capture) -> None:
    assert main(["reproduce", name, "--out", str(shared), "--cache", str(shared / "cache"), "--json"]) == 0
    [document] = json.loads(capsys.readouterr().out)
    table, cells = TABLES[name], document["cells"]
    assert document["stand_in"] is True
    assert len(cells) == len(table.rows) * len(table.columns)
    assert all(cell["measured"] is not None and cell["seconds"] > 0 for cell in cells)
    published = sum(len(row.figures) for row in table.rows)
    assert sum(cell["difference"] is not None for cell in cells) == published
    assert all(0 <= cell["measured"] <= 100 for cell in cells if cell["unit"] == "%")
    with (shared / f"{name}.csv").open(encoding="utf-8") as file:
        assert [float(row["measured"]) for row in csv.DictReader(file)] == [cell["measured"] for cell in cells]
    text = (shared / f"{name}.md").read_text(encoding="utf-8")
    assert "STAND-IN DATA" in text
    assert all(f"| {row.name} | `{row.candidate}` |" in text for row in table.rows)
    assert find_scale("smoke", table).budget(table) in text
    picture = imread(shared / f"{name}.png")
    assert has(picture, PUBLISHED["mec"])
    assert has(picture, MEASURED["color"])
    assert has(picture, OURS["color"]) or not any(column.ours for column in table.columns)


def test_a_process_resumes_row_by_row(bitfront: Call, tmp_path: Path) -> None:
    words = ["reproduce", "D2-mnist", "--out", "out", "--cache", "cache"]
    first = bitfront(*words, "--rows", "FP,fp:fgsm")
    assert first.returncode == 0, first.stderr
    assert "[2/2 rows" in first.stderr
    assert re.search(r"FP +fp +[\d.]+ \(98\.87\)", first.stdout)
    assert re.search(r"Distillation +fp:distill +– \(98\.12\)", first.stdout)
    assert "STAND-IN DATA" in first.stdout
    kept = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    assert len(kept) == 2
    second = bitfront(*words, "--rows", "FP,Distillation")
    assert "1 of 2 rows are there already" in second.stderr
    assert "[1/1 rows" in second.stderr
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_an_interrupt_keeps_finished_rows_and_says_how_to_go_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "search", "reproduce", "B3", "--out", "out", "--cache", "cache"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 100
        while not [*tmp_path.glob("out/B3/smoke/*.json")] and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "resume with: python -m search reproduce B3 --out out --cache cache" in said
    assert "Traceback" not in said
    done = len([*tmp_path.glob("out/B3/smoke/*.json")])
    assert 1 <= done < len(TABLES["B3"].rows)
    assert (tmp_path / "out" / "B3.md").read_text(encoding="utf-8").count(" s |") == done


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("scale", ["smoke", "short"])
def test_every_text_of_a_picture_is_inside_it(name: str, scale: str, tmp_path: Path) -> None:
    table = TABLES[name]
    setup = Setup(
        table=name,
        scale=find_scale(scale, table),
        dataset="d",
        stand_in=scale == "smoke",
        folder=tmp_path,
        machine=this_machine(),
    )
    cells = {column.name: Cell(published=50.0, measured=40.0, stderr=2.0) for column in table.columns}
    lines = tuple(Line(row=row, cells=cells, seconds=1.0, trained=1) for row in table.rows)
    figure = draw_reproduction(Sheet(setup=setup, checksum="", lines=lines, results=()))
    assert texts_fit(figure)


def test_bars_of_a_picture_are_the_intervals_and_stay_between_0_and_100(tmp_path: Path) -> None:
    table = TABLES["A4"]
    setup = Setup(
        table="A4",
        scale=find_scale("short", table),
        dataset="d",
        stand_in=False,
        folder=tmp_path,
        machine=this_machine(),
    )
    cells = [make_cell(50.0, [Measurement.fraction(hits, 200)], 0.01) for hits in (0, 1, 100, 199, 200)]
    names = [column.name for column in table.columns]
    lines = tuple(
        Line(row=row, cells=dict.fromkeys(names, cell), seconds=1.0, trained=1)
        for row, cell in zip(table.rows, cells, strict=False)
    )
    figure = draw_reproduction(Sheet(setup=setup, checksum="", lines=lines, results=()))
    drawn = [
        tuple(segment[:, 0]) for one in figure.axes[0].collections for segment in one.get_segments() if len(segment)
    ]
    assert np.allclose(drawn, [cell.interval for cell in cells])
    assert all(0 <= low < high <= 100 for low, high in drawn)


@pytest.mark.parametrize("words", [[], ["list"]])
def test_without_a_table_all_are_listed(words: list[str], capsys: Capture) -> None:
    assert main(["reproduce", *words]) == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^ {name} ", printed, re.MULTILINE) for name in TABLES)
    assert main(["reproduce", *words, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["table"] for one in listed] == list(TABLES)
    assert listed[6]["rows"][0] == "Full precision"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["A9"], "unknown table: got 'A9'; expected one of A1, A2"),
        (["d2-mnits"], "did you mean 'D2-mnist'?"),
        (["A4", "--rows", "BNN-3b"], "unknown row: got 'BNN-3b'; expected one of BNN-2b"),
        (
            ["A4", "--scale", "smok"],
            "unknown scale: got 'smok'; expected one of paper, short, smoke; hint",
        ),
        (["A4", "--dataset", "mnist5k"], "does not fit table A4: got 1x28x28, 10 classes; expected 3x32x32"),
        (["C1", "--scale", "short", "--data-root", "."], "--dataset FILE.npz takes the set from a file"),
        (["A4", "--seeds", "0"], "seeds out of range: got 0"),
        (["A4", "--seeds", "x"], "--seeds: got 'x'; expected a whole number"),
        (["A4", "--jobs", "0"], "--jobs out of range: got 0"),
        (["A4", "--device", "cuda:99"], "no such device: got 'cuda:99'"),
        (["A4", "--dataset", "nowhere.npz"], "no such data file: got 'nowhere.npz'"),
        (["A4", "--row", "x"], "unknown flag of reproduce: got '--row'; hint: did you mean --rows?"),
    ],
)
def test_bad_words_are_one_line_and_status_2(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *words]) == 2
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    assert message in line
    assert printed.out == ""


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("")
    assert main(["reproduce", "A1", "--out", str(tmp_path / "file")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "output folder: got" in line


def test_seeds_of_several_tables_are_joined(shared: Path, capsys: Capture) -> None:
    words = ["reproduce", "D2", "--rows", "FP", "--seeds", "2", "--out", str(shared), "--cache", str(shared / "cache")]
    assert main([*words, "--json"]) == 0
    documents = json.loads(capsys.readouterr().out)
    assert [one["table"] for one in documents] == ["D2-mnist", "D2-cifar"]
    for one in documents:
        assert {cell["seeds"] for cell in one["cells"] if cell["row"] == "FP"} == {2}
