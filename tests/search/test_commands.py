import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.image import imread

from evaluators.objectives import OBJECTIVES
from search.cli import main
from space import Candidate
from studies import Study

FILES = {"study.json", "trials.csv", "front.csv", "front.json", "front.png", "history.png", "selected.json"}
Use = Callable[..., None]
Capture = pytest.CaptureFixture[str]


def rows(folder: Path) -> list[dict[str, str]]:
    """The study's trials.csv."""
    return list(csv.DictReader((folder / "trials.csv").read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def searched(tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """The folder of a run of twelve candidates; what it printed can be read from capsys."""
    use_table()
    monkeypatch.chdir(tmp_path)
    assert main(["--trials", "12", "--out", "study"]) == 0
    return tmp_path / "study"


def test_a_run_leaves_every_file_and_tells_what_to_type_next(searched: Path, capsys: Capture) -> None:
    printed = capsys.readouterr()
    assert {path.name for path in searched.iterdir()} >= FILES
    selected = json.loads((searched / "selected.json").read_text())
    assert f"selected: #{selected['number']} {selected['candidate']}" in printed.out
    assert selected["reason"] in printed.out
    assert "next:     python -m search select study --limit 'bops<=" in printed.out
    assert printed.err.count("\n") >= 12
    assert "12 candidates evaluated" in printed.err
    for picture in ("front.png", "history.png"):
        assert (imread(searched / picture) < 0.5).any()


def test_the_next_command_works_as_printed(searched: Path, capsys: Capture) -> None:
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next:")]
    words = shlex.split(line.removeprefix("next:"))
    assert words[:3] == ["python", "-m", "search"]
    assert main(words[3:]) == 0


def test_the_next_command_finds_the_networks_where_the_run_left_them(
    tmp_path: Path, use_table: Use, capsys: Capture
) -> None:
    use_table()
    assert main(["--trials", "3", "--out", str(tmp_path / "study"), "--cache", str(tmp_path / "a cache")]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next:")]
    assert shlex.split(line)[-2:] == ["--cache", str(tmp_path / "a cache")]


@pytest.mark.parametrize(("objectives", "cost"), [("acc,memory", "memory"), ("acc,pgd", "bops")])
def test_the_next_command_limits_the_cost_that_was_searched(
    tmp_path: Path, use_table: Use, capsys: Capture, objectives: str, cost: str
) -> None:
    use_table()
    assert main(["--objectives", objectives, "--trials", "3", "--out", str(tmp_path / "study")]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next:")]
    words = shlex.split(line)[4:]
    assert words[3].startswith(f"{cost}<=")
    assert main(words) == 0


def test_the_next_command_takes_no_folder_for_a_flag(
    tmp_path: Path, use_table: Use, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_table()
    monkeypatch.chdir(tmp_path)
    assert main(["--trials", "3", "--out=-study", "--cache=-cache"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next:")]
    words = shlex.split(line)[4:]
    assert words[0:2] == ["select", "./-study"]
    assert words[-2:] == ["--cache", "./-cache"]
    assert main([*words, "--limit", "bops<=1e12"]) == 0


def test_the_front_is_printed_with_errors_and_a_mark(searched: Path, capsys: Capture) -> None:
    lines = capsys.readouterr().out.splitlines()
    front = json.loads((searched / "front.json").read_text())["front"]
    selected = json.loads((searched / "selected.json").read_text())
    for one in front:
        [row] = [line for line in lines if re.match(rf" [> ]   {one['number']} +\S", line)]
        assert "±" in row
        assert row.strip().startswith(">") == (one["number"] == selected["number"])


def test_run_with_json_prints_json_only(tmp_path: Path, use_table: Use, capsys: Capture) -> None:
    use_table()
    status = main(["--trials", "5", "--out", str(tmp_path / "study"), "--json"])
    data = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (data["evaluated"], data["stopped"], data["objectives"]) == (5, "trials", ["acc", "pgd", "bops"])
    assert data["selected"]["number"] in [one["number"] for one in data["front"]]


def test_a_plateau_ends_a_run_and_is_said(tmp_path: Path, use_table: Use, capsys: Capture) -> None:
    use_table()
    words = ["--out", str(tmp_path / "study"), "--trials", "400", "--plateau", "6:0.03", "--sampler", "random"]
    assert main([*words, "--json"]) == 0
    data, err = capsys.readouterr()
    found = json.loads(data)
    assert (found["stopped"], found["evaluated"] < 100) == ("plateau", True)
    assert re.fullmatch(r"hypervolume 0\.\d{4}, grew by 0\.\d{4} over the last 6 evaluations", found["detail"])
    assert f"plateau: {found['detail']}" in err
    assert main(["--plateau", "often"]) == 2
    assert "--plateau: got 'often'; expected evaluations, or evaluations:share" in capsys.readouterr().err


def test_the_same_command_goes_on_where_it_stopped(study: Path, capsys: Capture) -> None:
    before = rows(study)
    assert main(["--space", "space.toml", "--trials", "14", "--out", "study"]) == 0
    after = rows(study)
    for row in (*before, *after):
        del row["front_probability"]  # later records may beat it
    assert after[: len(before)] == before
    assert sum(row["state"] == "complete" for row in after) == 14


def test_the_same_images_under_another_name_are_the_same_study(study: Path, capsys: Capture) -> None:
    """A path from another folder, say: a study belongs to the images' checksum."""
    run = ["--space", "space.toml", "--trials", "13", "--out", "study"]
    assert main([*run, "--dataset", "../data/mnist5k.npz"]) == 0
    assert len(rows(study)) > 12
    assert Study.load(study).config.protocol.dataset == "mnist5k"
    assert main([*run, "--dataset", "mnist5k", "--epsilon", "0.1"]) == 2
    assert "holds a study with another protocol.epsilon" in capsys.readouterr().err


def test_the_folder_is_named_after_data_and_network(
    tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_table()
    monkeypatch.chdir(tmp_path)
    assert main(["--trials", "1"]) == 0
    assert main(["--trials", "1", "--dataset", "some/where/mine.npz", "--network", "fcn2"]) == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == ["mine-fcn2", "mnist5k-mnistconv"]


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("folder:photos/v1.2", "v1.2"), ("folder:v1.3@32", "v1.3@32"), ("folder:.", "here"), ("folder:..", "above")],
)
def test_the_folder_has_the_whole_name_of_that_of_the_images(
    dataset: str, name: str, tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions of one's images had one folder, and the second was refused as another study."""
    use_table()
    (tmp_path / "above" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "above" / "here")
    assert main(["--trials", "1", "--dataset", dataset]) == 0
    assert [path.name for path in Path("runs").iterdir()] == [f"{name}-mnistconv"]


def test_plot_draws_both_pictures_again(study: Path, capsys: Capture) -> None:
    pictures = {name: (study / f"{name}.png") for name in ("front", "history")}
    drawn = {name: path.read_bytes() for name, path in pictures.items()}
    for path in pictures.values():
        path.unlink()
    capsys.readouterr()
    assert main(["plot", "study", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {name: f"study/{name}.png" for name in pictures}
    assert {name: path.read_bytes() for name, path in pictures.items()} == drawn


def test_select_obeys_the_limit_says_why_and_marks_the_picture(study: Path, capsys: Capture) -> None:
    before = (study / "front.png").read_bytes()
    capsys.readouterr()
    assert main(["select", "study", "--limit", "bops<=3e7", "--rule", "best:acc"]) == 0
    printed = capsys.readouterr().out
    selected = json.loads((study / "selected.json").read_text())
    assert selected["measurements"]["bops"]["value"] <= 3e7
    assert selected["limits"] == ["bops<=3e+07"]
    for text in (selected["rule"], selected["reason"], selected["candidate"]):
        assert text in printed
    for other in selected["runners_up"]:
        assert other["candidate"] in printed
    assert (study / "front.png").read_bytes() != before


def test_select_prints_the_file_as_json(study: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["select", "study", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((study / "selected.json").read_text())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["select", "study", "--limit", "bops<=5"], "no record meets the limits: got 'bops<=5'"),
        (["select", "study", "--limit", "bops<5"], "malformed limit: got 'bops<5'"),
        (["select", "study", "--rule", "cheapest"], "unknown rule: got 'cheapest'"),
        (["select", "study", "--rule", "best:fgsm"], "expected an objective of the study: acc, pgd, bops"),
        (["plot", "elsewhere"], "no study: got 'elsewhere'"),
        (
            ["--space", "space.toml", "--out", "study", "--epsilon", "0.3"],
            "study with another protocol.epsilon",
        ),
        (
            ["--sampler", "tpee"],
            "unknown sampler: got 'tpee'; expected one of auto, exhaustive, gp, nsga2, nsga3, qmc, random, tpe;",
        ),
        (["--trials", "0"], "trials out of range: got 0; expected 1 to"),
        (["--epochs", "0"], "epochs out of range: got 0; expected 1 to"),
        (["--limit", "bops>=2", "--limit", "bops<=1"], "limits that contradict each other"),
        (["--space", "huge"], "huge"),
        (["evaluate", "pact99"], "weight bits of pact out of range: got 99; expected 2 to 8"),
    ],
)
def test_bad_input_is_one_line_and_status_2(study: Path, capsys: Capture, words: list[str], message: str) -> None:
    before = {path.name: path.read_bytes() for path in study.iterdir() if path.is_file()}
    capsys.readouterr()
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("bitfront: error: ")
    assert message in line
    assert {path.name: path.read_bytes() for path in study.iterdir() if path.is_file()} == before


def test_a_limit_that_every_candidate_breaks_ends_with_2_before_anything_is_written(
    tmp_path: Path, use_table: Use, capsys: Capture
) -> None:
    use_table()
    assert main(["--trials", "2", "--limit", "bops<=1", "--out", str(tmp_path / "new")]) == 2
    assert "limit on bops that nobody can meet" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_run_that_finds_nothing_within_the_limits_says_so(tmp_path: Path, use_table: Use, capsys: Capture) -> None:
    use_table()
    assert main(["--trials", "2", "--limit", "acc>=0.99", "--out", str(tmp_path / "study")]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("bitfront: error: no candidate to select: got '2 evaluated, none")
    assert (tmp_path / "study" / "trials.csv").is_file()
    assert not (tmp_path / "study" / "selected.json").exists()


def test_three_failures_alike_end_the_run_with_their_reason(tmp_path: Path, use_table: Use, capsys: Capture) -> None:
    def trouble(candidate: Candidate) -> None:
        raise MemoryError("no room")

    use_table(trouble)
    assert main(["--trials", "9", "--out", str(tmp_path / "study")]) == 2
    printed = capsys.readouterr()
    assert "three trials in a row failed alike: got 'MemoryError: no room'" in printed.err.splitlines()[-1]
    assert printed.out == ""


def test_an_interrupt_keeps_what_is_finished_and_tells_how_to_resume(
    tmp_path: Path, use_table: Use, capsys: Capture
) -> None:
    seen: list[Candidate] = []

    def trouble(candidate: Candidate) -> None:
        seen.append(candidate)
        if len(seen) == 4:
            raise KeyboardInterrupt

    use_table(trouble)
    words = ["--trials", "8", "--out", str(tmp_path / "a study")]
    assert main(words) == 130
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith(f"resume with: python -m search run --trials 8 --out '{tmp_path / 'a study'}'")
    assert len(rows(tmp_path / "a study")) == 3
    assert main(words) == 0
    assert sum(row["state"] == "complete" for row in rows(tmp_path / "a study")) == 8


def test_one_objective_is_drawn_over_a_cost(tmp_path: Path, use_table: Use) -> None:
    use_table()
    assert main(["--objectives", "pgd", "--trials", "4", "--out", str(tmp_path / "study")]) == 0
    assert (imread(tmp_path / "study" / "front.png") < 0.5).any()


def test_evaluate_prints_every_objective_with_its_error(use_table: Use, capsys: Capture) -> None:
    use_table()
    assert main(["evaluate", "in2:fp+xnor:majority"]) == 0
    printed = capsys.readouterr()
    assert "in2:fp+xnor:majority on mnist5k, mnistconv, epsilon 0.2" in printed.out
    for name in OBJECTIVES:
        assert f"\n  {name} " in printed.out or f"\n {name} " in printed.out or f"\n{name} " in printed.out
    assert printed.out.count("±") == sum(objective.unit == "fraction" for objective in OBJECTIVES.values())


def test_evaluate_as_json_can_be_repeated_from_what_it_says(use_table: Use, capsys: Capture) -> None:
    use_table()
    assert main(["evaluate", "xnor+fp", "--objectives", "pgd,bops", "--json", "--steps", "7"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["candidate"], data["budget"]["steps"], data["protocol"]["epsilon"]) == ("fp+xnor", 7, 0.2)
    assert list(data["measurements"]) == ["bops", "pgd_naive", "certified", "pgd"]
    assert (data["verdict"], data["rules"]) == ("ok", [])
    assert data["gap"] == data["measurements"]["pgd_naive"]["value"] - data["measurements"]["pgd"]["value"]
    assert data["measurements"]["pgd"]["stderr"] > 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FloatingPointError("loss is nan"), "the training diverged: got 'loss is nan'"),
        (MemoryError(), "out of memory; hint: try fewer --images, or --device cpu"),
        (
            RuntimeError("CUDA out of memory. Tried"),
            "out of memory; hint: try fewer --images, or --device cpu",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            "out of memory; hint: try fewer --images, or --device cpu",
        ),
    ],
)
def test_an_evaluation_that_fails_is_one_line(use_table: Use, capsys: Capture, error: Exception, message: str) -> None:
    def trouble(candidate: Candidate) -> None:
        raise error

    use_table(trouble)
    assert main(["evaluate", "fp", "--objectives", "acc"]) == 2
    assert capsys.readouterr().err.startswith(f"bitfront: error: {message}")


def test_a_fault_of_ours_is_not_hidden(use_table: Use) -> None:
    def trouble(candidate: Candidate) -> None:
        raise RuntimeError("a bug")

    use_table(trouble)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["evaluate", "fp", "--objectives", "acc"])
