"""`compare` on real studies: what it prints and leaves, its pictures, and docs/compare.md."""

import csv
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

import evaluators
from evaluators.objectives import find_objectives
from search.cli import main
from search.parser import build_parser, flags
from search.plots import draw_attainment, draw_comparison, save
from search.plots.attainment import attained_by
from search.plots.style import SERIES
from studies import Stop, Study, hypervolume_trace
from studies.comparison.comparable import FREE

Call = Callable[..., "subprocess.CompletedProcess[str]"]
Capture = pytest.CaptureFixture[str]
PAGE = (Path(__file__).parents[3] / "docs" / "compare.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m search (.*)$", PAGE, flags=re.MULTILINE)
COLUMNS = ["group", "study", "seed", "evaluations", "seconds", "hypervolume"]
SPLIT = [(1, 2.0, 0.2), (2, 4.0, 0.6)], [(1, 3.0, 0.4), (2, 9.0, 0.5), (3, 12.0, 0.8)]


def search(sampler: str, seed: int, trials: int, epsilon: float = 0.2) -> str:
    """The folder of a finished run like that in `study`, by another sampler, beside it."""
    config = Study.load("study").config
    protocol = replace(config.protocol, epsilon=epsilon)
    config = replace(config, sampler=sampler, proposals="off", seed=seed, protocol=protocol)
    fixed = {name: getattr(protocol, name) for name in ("dataset", "network", "epsilon", "source", "seed")}
    evaluator = evaluators.open_evaluator(**fixed, budget=config.budget)
    study = Study.open(f"{sampler}-{seed}", config)
    study.run(evaluator, Stop(trials=trials))
    return study.folder.name


@pytest.fixture
def folders(study: Path) -> list[str]:
    """Folders of five runs: random and tpe with two seeds each, and tpe with proposals from the pool."""
    made = [search(sampler, seed, 6 + seed) for sampler in ("random", "tpe") for seed in (0, 1)]
    return [*made, study.name]


def test_a_comparison_in_a_process_of_its_own(folders: list[str], bitfront: Call) -> None:
    done = bitfront("compare", *folders)
    assert (done.returncode, Path("runs/compare/compare.csv").is_file()) == (0, True)
    for group in ("random", "tpe", "tpe + model"):
        assert re.search(rf"^ {re.escape(group)}  +\d", done.stdout, flags=re.MULTILINE)
    assert "runs have 6 to 12 evaluations" in done.stderr


def test_the_json_agrees_with_the_studies(folders: list[str], capsys: Capture) -> None:
    assert main(["compare", *folders, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {one["group"]: one["runs"] for one in data["groups"]} == {"random": 2, "tpe": 2, "tpe + model": 1}
    ends = {}
    for folder, one in zip(folders, data["studies"], strict=True):
        study = Study.load(folder)
        assert (one["study"], one["evaluations"]) == (folder, sum(record.evaluated for record in study.records()))
        assert study.bounds is not None
        ends[folder] = hypervolume_trace(study.records(), study.config.objectives, study.bounds)[-1][1]
        assert one["hypervolume"] == pytest.approx(ends[folder])  # one space, one network: the bounds are the same
    assert data["best"] == pytest.approx(max(ends.values()))
    assert data["target"] == pytest.approx(0.95 * data["best"])
    [chance] = [one for one in data["groups"] if one["group"] == "random"]
    assert chance["final"]["mean"] == pytest.approx((ends["random-0"] + ends["random-1"]) / 2)
    assert (chance["evaluations"], chance["after"]["25"]) == ([6, 7], None)
    came = [folder for folder, end in ends.items() if end >= 0.95 * max(ends.values())]
    assert sum(one["target"]["runs"] for one in data["groups"]) == len(came)


def test_the_files_of_a_comparison(folders: list[str], capsys: Capture) -> None:
    assert main(["compare", *folders, "--out", "some/where", "--json"]) == 0
    paths = [Path(path) for path in json.loads(capsys.readouterr().out)["files"]]
    assert paths == [Path("some/where") / name for name in ("compare.csv", "compare.png", "attainment.png")]
    rows = list(csv.DictReader(paths[0].read_text().splitlines()))
    assert list(rows[0]) == COLUMNS
    for folder in folders:
        mine = [row for row in rows if row["study"] == folder]
        assert [int(row["evaluations"]) for row in mine] == list(range(1, len(mine) + 1))
        for name in ("seconds", "hypervolume"):
            values = [float(row[name]) for row in mine]
            assert values == sorted(values)
    for path in paths[1:]:
        assert all(shows(path, color) for color, _ in SERIES[:3])


def test_one_study_is_a_comparison_too(study: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["compare", "study"]) == 0
    printed = capsys.readouterr()
    assert re.search(r"^ tpe \+ model +1 +12 .* 0\.0000 *$", printed.out, flags=re.MULTILINE)
    assert re.search(r"^ tpe \+ model +\d+ in \d+s, 1 of 1 runs *$", printed.out, flags=re.MULTILINE)
    assert "note" not in printed.err


def test_the_folder_of_an_earlier_comparison_is_no_study(study: Path, capsys: Capture) -> None:
    assert main(["compare", "study", "--out", "sub"]) == 0
    assert main(["compare", "study", "sub", "--out", "./sub"]) == 0
    assert main(["compare", "study", "sub", "--out", "other"]) == 2
    assert main(["compare", "sub", "--out", "sub"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.partition("error: ")[2].partition(":")[0].partition(";")[0] for line in said] == [
        "no study",
        "no study to compare",
    ]


def test_tables_fit_a_narrow_terminal(folders: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["compare", *folders]) == 0
    printed = capsys.readouterr().out
    assert len(re.findall(r"^ tpe \+ model +", printed, flags=re.MULTILINE)) == 2
    assert "…" not in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["study", "study"], "study is tpe + model with seed 0, and so is study; hint: each run counts once"),
        (["study", "elsewhere"], "no study: got 'elsewhere'"),
        (["study", "--out", "space.toml"], "output folder: got 'space.toml'"),
        ([], "the following arguments are required: STUDY"),
    ],
)
def test_bad_input_is_one_line_and_status_2(study: Path, capsys: Capture, words: list[str], said: str) -> None:
    capsys.readouterr()
    assert main(["compare", *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not Path("runs").exists()


def test_another_question_is_refused(study: Path, capsys: Capture) -> None:
    other = search("random", 0, 3, epsilon=0.1)
    assert main(["compare", "study", other]) == 2
    assert "random-0 does not compare with study: it has another protocol.epsilon: got '0.1'; expected 0.2" in (
        capsys.readouterr().err
    )


def shows(path: Path, color: str) -> bool:
    """Whether a picture has pixels of a colour."""
    return bool((np.abs(imread(path)[..., :3] - to_rgb(color)).max(axis=-1) < 0.02).any())


def test_the_curves_are_the_means_and_end_with_the_shortest_run(tmp_path: Path) -> None:
    figure = draw_comparison({"both": SPLIT, "long": SPLIT[1:]}, "somewhere")
    left, right = figure.axes
    curves = {line.get_label(): np.asarray(line.get_xydata()) for line in left.lines}
    assert curves["both"] == pytest.approx(np.array([[0, 0], [1, 0.3], [2, 0.55]]))
    assert curves["long"] == pytest.approx(np.array([[0, 0], [1, 0.4], [2, 0.5], [3, 0.8]]))
    seconds = np.asarray(right.lines[0].get_xydata())
    assert seconds == pytest.approx(np.array([[0, 0], [2, 0.1], [3, 0.3], [4, 0.5]]))
    assert left.get_ylim() == right.get_ylim()
    save(figure, tmp_path / "compare.png")
    assert shows(tmp_path / "compare.png", SERIES[1][0])


STILL = [(float(count), float(count), 0.5) for count in range(1, 21)]


@pytest.mark.parametrize("runs", [[[(1, 0.0, 0.0)]], [[(1, 0.0, 0.5)], [(1, 0.0, 0.5)]], [STILL]])
def test_hardly_any_run_can_be_drawn(runs: list[list[tuple[float, float, float]]]) -> None:
    assert len(draw_comparison({"tpe": runs}, "somewhere").axes) == 2


def test_what_half_of_the_runs_reach_in_the_units_of_the_axes() -> None:
    fronts = [np.array([[1e6, 0.5], [4e6, 0.9]]), np.array([[2e6, 0.8]]), np.array([[1e6, 0.4], [3e6, 0.7]])]
    assert attained_by(fronts, 0.5, (False, True)) == [(1e6, 0.4), (2e6, 0.5), (3e6, 0.7), (4e6, 0.8)]
    assert attained_by(fronts, 0.25, (False, True)) == [(1e6, 0.5), (2e6, 0.8), (4e6, 0.9)]
    assert attained_by(fronts, 1.0, (False, True)) == [(2e6, 0.4), (3e6, 0.5), (4e6, 0.7)]


@pytest.mark.parametrize(("names", "panels", "dear"), [("acc,bops", 1, 1), ("acc,pgd,bops", 3, 2), ("acc,pgd", 1, 0)])
def test_attainment_has_a_panel_per_pair_with_costs_across(names: str, panels: int, dear: int) -> None:
    objectives = find_objectives(names.split(","))
    values = np.array([[0.5, 0.3, 1e6], [0.9, 0.2, 8e6]])
    front = np.stack([values[:, 2 if one.name == "bops" else int(one.name == "pgd")] for one in objectives], axis=1)
    figure = draw_attainment({"tpe": [front, front * 0.9], "random": [front[:0]]}, objectives, "somewhere")
    assert len(figure.axes) == panels
    costs = [axes for axes in figure.axes if axes.get_xlabel() == "bit operations"]
    assert len(costs) == dear
    assert all(axes.get_xscale() == "log" for axes in costs)


@pytest.mark.parametrize("names", ["acc,pgd", "acc,bops", "bops,memory"])
def test_a_band_is_open_where_some_runs_found_nothing(names: str) -> None:
    """Of three runs the two that have a front alone would show no spread at all."""
    objectives = find_objectives(names.split(","))
    front = np.array([[{"acc": 0.5, "pgd": 0.3}.get(one.name, 1e6) for one in objectives]])
    better = front * np.array([1.2 if one.maximize else 0.8 for one in objectives])
    [axes] = draw_attainment({"tpe": [front, better, front[:0]]}, objectives, "somewhere").axes
    [band] = axes.patches
    order = sorted(objectives, key=lambda one: one.maximize)
    limits = {True: [axes.get_xlim()[0], axes.get_ylim()[0]], False: [axes.get_xlim()[1], axes.get_ylim()[1]]}
    worst = [limits[one.maximize][place] for place, one in enumerate(order)]
    assert worst in [list(corner) for corner in band.get_xy()]


@pytest.fixture
def as_on_the_page(study: Path, capsys: Capture) -> None:
    """The page's runs, with six trials each and in the small space; later flags win."""
    for command in COMMANDS:
        if command.startswith("run "):
            assert main([*shlex.split(command), "--trials", "6", "--space", "space.toml"]) == 0
    capsys.readouterr()


@pytest.mark.usefixtures("as_on_the_page")
def test_the_commands_of_the_page_run(capsys: Capture) -> None:
    compared = [shlex.split(command) for command in COMMANDS if command.startswith("compare ")]
    assert len(compared) == 2
    assert main(compared[0]) == 0
    printed = capsys.readouterr().out
    headings = re.findall(r"^\| `(?:at 25`|([^`]+)`)", PAGE.partition("## Files")[0], flags=re.MULTILINE)
    assert all(heading in printed for heading in headings if heading)
    assert main(compared[1]) == 0
    assert [one["runs"] for one in json.loads(capsys.readouterr().out)["groups"]] == [1, 1]


def test_the_page_names_every_flag_column_and_file() -> None:
    for word in flags(build_parser())["compare"] - {"-h", "--help", "STUDY"}:
        assert f"`{word}`" in PAGE
    for field in {*FREE} - {"sampler", "protocol.seed"}:
        assert f"`--{field}`" in PAGE
    for word in (*COLUMNS, "compare.csv", "compare.png", "attainment.png", "runs/compare"):
        assert f"`{word}`" in PAGE
