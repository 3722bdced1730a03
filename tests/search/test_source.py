"""--source: a candidate, or the one that a study selected; and studies from before there was one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from journals import unchecked

from evaluators.base import Protocol
from search.cli import main
from search.reading import read_source
from space.errors import UserError

Capture = pytest.CaptureFixture[str]
Use = Callable[..., None]
EVALUATE = ["evaluate", "xnor", "--objectives", "acc,transfer", "--json"]


def source_used(words: list[str], capsys: Capture) -> str:
    capsys.readouterr()
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["measurements"]) == ["acc", "transfer"]
    return str(found["protocol"]["source"])


def rewrite(study: Path, **changes: object) -> None:
    """Change the protocol of the selected candidate."""
    path = study / "selected.json"
    data = json.loads(path.read_text())
    data["protocol"] |= changes
    path.write_text(json.dumps(data))


def test_a_candidate_is_a_source(use_table: Use, capsys: Capture) -> None:
    use_table()
    assert source_used(EVALUATE, capsys) == "fp"
    assert source_used([*EVALUATE, "--source", "xnor+fp:mean"], capsys) == "fp+xnor"


def test_a_study_stands_for_the_candidate_selected_in_it(study: Path, capsys: Capture) -> None:
    chosen = json.loads((study / "selected.json").read_text())["candidate"]
    assert source_used([*EVALUATE, "--source", "study"], capsys) == chosen
    assert source_used([*EVALUATE, "--source", str(study)], capsys) == chosen


def test_a_folder_named_like_a_candidate_needs_a_path(study: Path, capsys: Capture) -> None:
    chosen = json.loads((study / "selected.json").read_text())["candidate"]
    study.rename(study.with_name("bnn"))
    assert source_used([*EVALUATE, "--source", "bnn"], capsys) == "bnn"
    assert source_used([*EVALUATE, "--source", "./bnn"], capsys) == chosen


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"checksum": "ab", "dataset": "mnist"},
            "another data set: got 'mnist ab'; expected mnist5k 0; hint: --source ",
        ),
        ({"network": "fcn2"}, "another network: got 'fcn2'; expected mnistconv; hint: --source "),
    ],
)
@pytest.mark.parametrize("command", [["evaluate", "xnor"], ["run", "--trials", "1", "--out", "new"]])
def test_a_study_of_other_images_or_another_network_is_refused(
    study: Path, capsys: Capture, changes: dict[str, object], said: str, command: list[str]
) -> None:
    rewrite(study, **changes)
    capsys.readouterr()
    assert main([*command, "--source", "study"]) == 2
    printed = capsys.readouterr()
    assert f"bitfront: error: the study of --source has {said}" in printed.err
    assert (printed.err.count("\n"), printed.out) == (1, "")
    assert not Path("new").exists()


def test_the_same_images_under_another_name_and_another_radius_are_fine(study: Path) -> None:
    rewrite(study, dataset="copy.npz", epsilon=0.3, seed=4)
    read_source("study").check(Protocol(dataset="mnist5k", checksum="0", network="mnistconv", epsilon=0.2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "bnnn",
            "--source: got 'bnnn'; expected a candidate, a lock file, or the folder of a run; hint: did",
        ),
        ("runs/none", "--source: got 'runs/none'; expected a candidate, a lock file, or the folder of a run"),
        (
            "empty",
            "no lock file: got 'empty'; expected a lock file, or the folder of a run with a selected.json",
        ),
        ("list", "damaged lock file: got 'list/selected.json'; expected a lock file of this version; hint: select wri"),
        ("bare", "damaged lock file: got 'bare/selected.json'"),
        ("cut", "damaged lock file: got 'cut/selected.json'"),
    ],
)
def test_what_is_no_source_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (("list", "[1, 2]"), ("bare", '{"candidate": "fp"}'), ("cut", '{"candid')):
        Path(name).mkdir()
        Path(name, "selected.json").write_text(content)
    Path("empty").mkdir()
    with pytest.raises(UserError) as refusal:
        read_source(text)
    assert str(refusal.value).startswith(said)
    assert "\n" not in str(refusal.value)


def test_a_study_from_before_there_were_sources_goes_on(study: Path, capsys: Capture) -> None:
    journal = study / "journal.log"
    old = unchecked(journal).replace(',"source":"fp"', "")
    assert "source" not in old
    assert len(old) < len(journal.read_text())
    journal.write_text(old)
    assert main(["--space", "space.toml", "--trials", "13", "--out", "study"]) == 0
    other = ["--space", "space.toml", "--trials", "14", "--out", "study", "--source", "bnn"]
    capsys.readouterr()
    assert main(other) == 2
    assert "study with another protocol.source: got 'bnn'; expected fp" in capsys.readouterr().err
