"""`audit` on a study that was really run, and on a candidate; and its page."""

import csv
import json
import re
import shlex
import shutil
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
from journals import unchecked

from evaluators import rules_in
from evaluators.base import Measurement
from evaluators.robustness.verification.settings import Verification
from evaluators.robustness.verification.verified import RULES, Verified
from search.cli import main, parse
from search.tables.audits import Entry, falls, sentences, still_best
from studies import Record, Study

Capture = pytest.CaptureFixture[str]
PAGE = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m search (audit .*)$", PAGE, flags=re.MULTILINE)
PLACE = ["--device", "cpu", "--cache", "cache"]
SEARCH = ["--network", "fcn2", "--epsilon", "0.05", "--epochs", "1", "--train-images", "600"]
SMALL = ["--images", "30", "--steps", "3", "--restarts", "1", "--queries", "10"]
SPACE = 'precisions = ["fp", "xnor"]\nmembers = [1]\nfull_precision = [0]\ninput_bits = [8]\nwidths = [0.125, 0.25]\n'


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that was run, and its members."""
    folder = tmp_path_factory.mktemp("audited")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("space.toml").write_text(SPACE)
        budget = ["--images", "30", "--steps", "3"]
        assert main(["--space", "space.toml", "--trials", "3", "--out", "study", *SEARCH, *budget, *PLACE]) == 0
    return folder


@pytest.fixture(autouse=True)
def inside(workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(workspace)
    capsys.readouterr()


def test_a_study_is_audited_on_its_front_under_its_own_protocol(capsys: Capture) -> None:
    front = json.loads(Path("study/front.json").read_text())["front"]
    assert main(["audit", "study", *SMALL, *PLACE]) == 0
    printed = capsys.readouterr()
    document = json.loads(Path("study/audit.json").read_text())
    assert {one["number"] for one in document["entries"]} == {one["number"] for one in front}
    assert document["protocol"]["epsilon"] == 0.05
    assert document["verification"]["queries"] == 10
    for entry in document["entries"]:
        [trial] = [one for one in front if one["number"] == entry["number"]]
        assert entry["searched"] == trial["measurements"]["pgd"]
        assert entry["worst"]["n"] == 30
        assert entry["fall"]["points"] == entry["searched"]["value"] - entry["worst"]["value"]
        assert entry["candidate"] in printed.out
    assert "fell by more than the 95 % interval of their fall" in printed.out
    assert "apgd-ce: " in printed.err
    rows = list(csv.DictReader(Path("study/audit.csv").read_text().splitlines()))
    assert [row["candidate"] for row in rows] == [one["candidate"] for one in document["entries"]]
    assert [float(row["verified"]) for row in rows] == [one["worst"]["value"] for one in document["entries"]]
    assert [row["rules"].split() for row in rows] == [
        list(rules_in(one["worst"]["flags"])) for one in document["entries"]
    ]


def test_a_repeated_candidate_falls_from_the_number_of_the_network_that_is_audited(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The front has the mean over seeds; the network that is attacked again is that of one of them."""
    trials = {one.number: one for one in Study.load("study").records()}
    plain = Study.front

    def repeated(study: Study) -> list[Record]:
        mean = Measurement.fraction(29, 30)
        return [replace(one, measurements={**one.measurements, "pgd": mean}, runs=2) for one in plain(study)]

    monkeypatch.setattr(Study, "front", repeated)
    assert main(["audit", "study", "--out", "repeated", "--json", *SMALL, *PLACE]) == 0
    for entry in json.loads(capsys.readouterr().out)["entries"]:
        assert entry["searched"] == trials[entry["number"]].measurements["pgd"].to_json()


def test_again_it_finds_the_same(capsys: Capture) -> None:
    def entries() -> list[dict[str, object]]:
        assert main(["audit", "study", "--json", *SMALL, *PLACE]) == 0
        return [one | {"seconds": 0} for one in json.loads(capsys.readouterr().out)["entries"]]

    assert entries() == entries()


def test_a_candidate_has_its_number_of_the_search_measured(capsys: Capture) -> None:
    words = ["fp:x0.125", *SEARCH, *PLACE]
    assert main(["evaluate", *words, "--objectives", "pgd", "--json"]) == 0
    searched = json.loads(capsys.readouterr().out)["measurements"]["pgd"]["value"]
    assert main(["audit", *words, *SMALL, "--json", "--out", "new/folder"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(Path("new/folder/audit.json").read_text())
    [entry] = document["entries"]
    assert (entry["number"], entry["searched"]["value"]) == (None, searched)
    assert document["study"] is None


def test_without_pyautoattack_it_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "pyautoattack", None)
    assert main(["audit", "fp:x0.125", *SEARCH, *PLACE, *SMALL, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["entries"][0]["external"] is None
    assert printed.err.startswith("without attacks of another library: pyautoattack is not installed; pip install")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "nothing to audit: got 'nosuch'; expected a candidate, or the folder of a run"),
        (["cache"], "no study: got 'cache'; expected the folder of a run"),
        (["study", "--epsilon", "0.1"], "a study has its own protocol and budget: got '--epsilon'"),
        (["study", "--epochs=3"], "a study has its own protocol and budget: got '--epochs'"),
        (["fp", "--steps", "0"], "attack steps out of range: got 0"),
        (["mbn3x1/mbn1x1", "--network", "fcn2"], "stages"),
        (["fp", "--network", "fcn2", "--out", "space.toml/below"], "output folder: got"),
        (["fp", "--network", "fcn2", "--out", "/proc"], "output folder: got '/proc'"),
    ],
)
def test_what_cannot_be_audited_is_refused_in_one_line(words: list[str], said: str, capsys: Capture) -> None:
    assert main(["audit", *words, *PLACE]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_a_study_of_other_images_is_refused(capsys: Capture) -> None:
    checksum = json.loads(Path("study/study.json").read_text())["config"]["protocol"]["checksum"]
    copy = shutil.copytree("study", Path("other"))
    journal = copy / "journal.log"
    journal.write_text(unchecked(journal).replace(checksum, "0" * len(checksum)))
    assert main(["audit", "other", *SMALL, *PLACE]) == 2
    assert "other was made with other images of mnist5k" in capsys.readouterr().err


def entry(number: int, searched: int, worst: int, bops: float) -> Entry:
    """An entry of 100 images."""
    measurements = {"pgd": Measurement.fraction(searched, 100), "bops": Measurement(value=bops, unit="bit-ops")}
    record = Record(number=number, candidate="fp", key=str(number), state="complete", measurements=measurements)
    same = Measurement.fraction(worst, 100)
    verified = Verified(
        candidate="fp",
        searched=measurements["pgd"],
        clean=same,
        naive=same,
        certified=same,
        worst=same,
        breaks={},
        external=None,
        binarization=(),
        seconds=0.0,
    )
    return Entry(verified=verified, record=record)


def test_what_fell_and_what_is_beaten_now_is_told() -> None:
    entries = [entry(0, 30, 28, 1e6), entry(1, 60, 20, 2e6), entry(2, 70, 66, 3e6)]
    keep = still_best(entries, ("pgd", "bops"))
    assert keep == [True, False, True]
    found = falls(entries)
    assert found is not None
    assert (found["entries"], found["beyond_chance"], found["worst_entry"]) == (3, 1, "#1 fp")
    assert (found["mean"], found["worst"]) == (pytest.approx(46 / 300), pytest.approx(0.4))
    assert sentences(entries, keep) == [
        "1 of 3 fell by more than the 95 % interval of their fall; the mean fall is 15.3 points, "
        "the worst 40.0 points (#1 fp)",
        "no longer non-dominated: #1 fp",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_run(command: str, capsys: Capture) -> None:
    """At an effort of seconds; later flags win."""
    Path("runs").mkdir(exist_ok=True)
    if not Path("runs/mnist5k-mnistconv").exists():
        shutil.copytree("study", "runs/mnist5k-mnistconv")
    words = shlex.split(command)
    if not words[1].startswith("runs/"):
        words = [words[0], f"{words[1]}:x0.125", *words[2:], *SEARCH]
    assert main([*words, *SMALL, *PLACE]) == 0
    assert capsys.readouterr().out


def test_the_page_has_a_heading_for_every_rule() -> None:
    assert set(re.findall(r"^### (.+)$", PAGE, flags=re.MULTILINE)) == set(RULES)


def test_the_page_names_every_effort_and_its_default() -> None:
    assert len(COMMANDS) == 3
    args: Namespace = parse(["audit", "fp"])
    usual = Verification()
    for name in ("images", "steps", "restarts", "queries", "binarized"):
        assert getattr(args, name) == getattr(usual, name)
        assert f"--{name} {getattr(usual, name)}" in PAGE
    assert tuple(args.twins) == usual.twins
    assert f"--twins {','.join(usual.twins)}" in PAGE
