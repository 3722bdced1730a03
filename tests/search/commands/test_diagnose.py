"""`diagnose` as a process, on a network that it trains."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.image import imread

from evaluators import DIAGNOSTICS
from search.cli import main

Call = Callable[..., "subprocess.CompletedProcess[str]"]
SPEC = "mbn3x1+fp:x0.125"
SMALL = ["--network", "fcn2", "--epochs", "1", "--train-images", "600", "--images", "60", "--steps", "3"]
SMALL += ["--cache", "cache", "--device", "cpu"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all of this module, so that members are trained once."""
    return tmp_path_factory.mktemp("diagnosed")


@pytest.fixture
def tmp_path(workspace: Path) -> Path:
    """Where `bitfront` runs."""
    return workspace


@pytest.fixture(scope="module")
def ended(workspace: Path) -> "subprocess.CompletedProcess[str]":
    """All diagnostics, into the folder `all`; for `bitfront`, see `test_again_…`, which runs them once more."""
    import os
    import sys

    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "search", "diagnose", SPEC, "--out", "all", *SMALL]
    return subprocess.run(
        command, cwd=workspace, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_diagnostic_leaves_its_table_and_its_picture(ended, workspace: Path) -> None:
    assert ended.returncode == 0, ended.stderr
    names = {f"{name}.{kind}" for name in DIAGNOSTICS for kind in ("csv", "png")}
    assert {path.name for path in (workspace / "all").iterdir()} == names
    for name, one in DIAGNOSTICS.items():
        header, *rows = csv.reader((workspace / "all" / f"{name}.csv").read_text().splitlines())
        assert tuple(header) == one.columns
        assert len(rows) > 1
        assert (imread(workspace / "all" / f"{name}.png") < 0.5).any()


def test_it_says_in_one_line_what_each_comes_to_and_where_it_is(ended) -> None:
    title, *lines = ended.stdout.splitlines()
    assert title == "fp+mbn3x1:x0.125 on mnist5k, fcn2, ε = 0.2, 60 validation images"
    assert len(lines) == 3 * len(DIAGNOSTICS)
    for name in DIAGNOSTICS:
        place = next(index for index, line in enumerate(lines) if line.startswith(f"{name}: "))
        assert lines[place + 1 : place + 3] == [f"  all/{name}.csv", f"  all/{name}.png"]
    assert ended.stderr.count("\n") == len(DIAGNOSTICS)


def test_again_it_leaves_the_same_bytes_and_as_json_the_same_values(ended, bitfront: Call, workspace: Path) -> None:
    names = ["steps", "gradients", "confusion"]
    again = bitfront("diagnose", SPEC, "--out", "again", "--only", ",".join(names), "--json", *SMALL)
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    assert document["candidate"] == "fp+mbn3x1:x0.125"
    assert document["budget"]["steps"] == 3
    assert list(document["diagnostics"]) == names
    assert len(list((workspace / "again").iterdir())) == 6
    for name, one in document["diagnostics"].items():
        for kind in ("csv", "png"):
            assert Path(one[kind]) == Path("again") / f"{name}.{kind}"
            first, second = (workspace / folder / f"{name}.{kind}" for folder in ("all", "again"))
            assert first.read_bytes() == second.read_bytes()
        rows = list(csv.reader((workspace / "again" / f"{name}.csv").read_text().splitlines()))
        assert [[str(cell) for cell in row] for row in one["rows"]] == rows[1:]
        assert f"{name}: {one['summary']}" in ended.stdout


def test_step_sizes_are_those_of_the_flag(ended, bitfront: Call) -> None:
    again = bitfront("diagnose", SPEC, "--out", "sizes", "--only", "steps", "--alphas", "1/3,0.9", "--json", *SMALL)
    rows = json.loads(again.stdout)["diagnostics"]["steps"]["rows"]
    assert {row[0] for row in rows} == {1 / 3, 0.9}


@pytest.mark.parametrize("name", ["file", "file/below", "/proc"])
def test_a_folder_that_cannot_be_is_refused_before_training(
    name: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    (workspace / "file").write_text("here already")
    assert main(["diagnose", "bnn", "--out", name, "--cache", "untouched", "--network", "fcn2"]) == 2
    assert f"output folder: got '{name}'" in capsys.readouterr().err
    assert [path for path in (workspace / "untouched").rglob("*") if path.is_file()] == []


def test_a_candidate_that_is_none_is_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    assert main(["diagnose", "fq", "--out", "none"]) == 2
    assert "fq" in capsys.readouterr().err
    assert not (workspace / "none").exists()
