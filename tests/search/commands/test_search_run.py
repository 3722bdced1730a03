"""The main job with the real evaluator, as small as it gets."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from search.cli import main, parse
from search.commands.run import _prepare

ROOT = Path(__file__).parents[3]
SMALL = ["--epochs", "1", "--train-images", "200", "--images", "20", "--steps", "2"]
SPACE = 'precisions = ["fp", "xnor", "mbn3x1"]\nmembers = [1, 2]\nfull_precision = [0, 1]\n'
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Flags of a small study in tmp_path."""
    (tmp_path / "space.toml").write_text(SPACE)
    places = {"--space": "space.toml", "--out": "study", "--cache": "cache"}
    return [*SMALL, *(word for flag, name in places.items() for word in (flag, str(tmp_path / name)))]


def start(words: list[str], **streams: int) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "search", *words]
    return subprocess.Popen(command, env=environment, text=True, **streams)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("flags", "settings"),
    [
        ([], {"full": False, "margin": 0.0, "rungs": (), "proposals": "model", "sampler": "auto", "seed": 0}),
        (["--full", "--proposals", "off"], {"full": True, "proposals": "off"}),
        (["--margin", "0.002", "--rungs", "1", "--epochs", "2"], {"margin": 0.002, "rungs": (1,)}),
        (["--sampler", "qmc", "--seed", "3", "--allow-masked"], {"sampler": "qmc", "seed": 3, "allow_masked": True}),
        (["--limit", "bops<=2e8", "--objectives", "acc,bops"], {"objectives": ("acc", "bops")}),
    ],
)
def test_every_flag_of_a_study_is_among_its_settings(flags: list[str], settings: dict[str, object]) -> None:
    _, config = _prepare(parse(flags))
    assert {name: getattr(config, name) for name in settings} == settings
    assert [str(limit) for limit in config.limits] == (["bops<=2e+08"] if "--limit" in flags else [])


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_resumes(tmp_path: Path, words: list[str]) -> None:
    words = [*words, "--trials", "5"]
    with start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in rest) == (130, False), rest
    assert "#0 " in first
    assert f"resume with: python -m search run {' '.join(words)}" in rest
    before = json.loads((tmp_path / "study" / "study.json").read_text())["records"]
    assert 1 <= len(before) < 5
    with start([*words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, rest = process.communicate(timeout=120)
    assert process.returncode == 0, rest
    after = json.loads((tmp_path / "study" / "study.json").read_text())["records"]
    assert after[: len(before)] == before
    assert json.loads(out)["evaluated"] == 5
    assert (imread(tmp_path / "study" / "front.png") < 0.5).any()


def test_a_candidate_is_worth_the_same_alone_as_in_a_study(tmp_path: Path, words: list[str], capsys: Capture) -> None:
    assert main([*words, "--trials", "2", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)["front"][0]
    again = [*SMALL, "--cache", str(tmp_path / "elsewhere"), "--objectives", "acc,pgd,bops", "--json"]
    assert main(["evaluate", one["candidate"], *again]) == 0
    measured = json.loads(capsys.readouterr().out)["measurements"]
    for name in ("acc", "pgd", "bops"):
        assert measured[name]["value"] == one["measurements"][name]["value"]


def test_a_terminal_sees_a_bar_and_the_front_grow(words: list[str]) -> None:
    import pty

    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "search", *words, "--trials", "3"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        seen = b""
        while chunk := _read(master):
            seen += chunk
        assert process.stdout is not None
        printed = process.stdout.read().decode()
    os.close(master)
    assert process.returncode == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())
    assert re.search(r"[━╸╺]+ *[12]/3 candidates, \d+s, \d+s left", shown)
    assert "front: 1" in shown
    live, _, _ = shown.rpartition("3 candidates evaluated")
    assert max(map(len, re.split(r"[\r\n]+|\x1b\[[0-9;?]*[A-Za-z]", live))) <= 80
    assert "selected: #" in printed
    assert "\x1b" not in printed


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:  # the other end is closed
        return b""


def _bad_npz(folder: Path) -> None:
    images, labels = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 2
    arrays = {"x_train": images, "y_train": labels, "x_test": images}
    np.savez(folder / "three.npz", **arrays)
    np.savez(
        folder / "tiny.npz", **{**arrays, "x_train": images[:, :4, :4], "x_test": images[:, :4, :4]}, y_test=labels
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--network", "resnet21"], "unknown network: got 'resnet21'; expected one of"),
        (["--dataset", "mnist6k"], "unknown data set: got 'mnist6k'"),
        (["--dataset", "three.npz"], "y_test"),
        (["--dataset", "tiny.npz", "--network", "mnistconv"], "does not fit the images"),
        (["--dataset", "nowhere.npz"], "nowhere.npz"),
        (["--device", "cuda:9"], "no such device: got 'cuda:9'"),
        (["--out", "space.toml/study"], "space.toml"),
        (["--steps", "-1"], "attack steps out of range: got -1"),
        (["--seed", "-1"], "seed out of range: got -1"),
        (["--limit", "bops<=1"], "limit on bops that nobody can meet"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing_behind(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    words: list[str],
    message: str,
) -> None:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.chdir(tmp_path)
    _bad_npz(tmp_path)
    (tmp_path / "space.toml").write_text(SPACE)
    before = sorted(tmp_path.rglob("*"))
    assert main(["--space", "space.toml", "--trials", "1", *SMALL, "--cache", str(cache), *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("bitfront: error: ")
    assert message in line
    assert sorted(tmp_path.rglob("*")) == before
