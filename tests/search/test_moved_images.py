"""A study whose images were moved: every command that needs them is told where they lie now, and takes no others."""

from pathlib import Path

import numpy as np
import pytest

from evaluators.data.dataset import load
from search.cli import main
from studies import Study

Capture = pytest.CaptureFixture[str]
PLACE = ["--device", "cpu", "--cache", "cache"]
SPACE = 'precisions = ["xnor"]\nmembers = [1]\nfull_precision = [0]\ninput_bits = [8]\nwidths = [0.125, 0.25]\n'
BUDGET = ["--epochs", "1", "--train-images", "200", "--images", "20", "--steps", "2"]
RUN = ["--space", "space.toml", "--network", "fcn2", "--epsilon", "0.05", *BUDGET, "--out", "study", *PLACE]
SMALL = ["--images", "10", "--steps", "2", "--restarts", "1", "--queries", "4"]
TOLD = {
    "run": ["run", "--trials", "2", *RUN],
    "run by a worker": ["run", "--trials", "2", "--workers", "1", *RUN],
    "select": ["select", "study", *PLACE],
    "confirm": ["confirm", "study", "--seeds", "1", "--epochs", "1", "--train-images", "200", *SMALL, *PLACE],
    "audit": ["audit", "study", *SMALL, *PLACE],
    "report": ["report", "study", "--images", "1", *PLACE],
    "export": ["export", "study", "--out", "deployed", *PLACE],
    "evaluate": ["evaluate", "--from-lock", "study/selected.json", *PLACE],
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of images that were moved since, and with other images of that size."""
    folder = tmp_path_factory.mktemp("moved")
    data = load("mnist5k")
    parts = {}
    for name, part, count in (("train", data.train, 400), ("test", data.test, 60)):
        head = part.head(count)
        parts[f"x_{name}"] = (255 * head.images[:, 0]).round().byte().numpy()
        parts[f"y_{name}"] = head.labels.numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("space.toml").write_text(SPACE)
        np.savez("images.npz", **parts)
        assert main(["--dataset", "images.npz", "--trials", "1", *RUN]) == 0
        Path("images.npz").rename("moved.npz")
        np.savez("other.npz", **parts | {"x_test": 255 - parts["x_test"]})
    return folder


@pytest.mark.parametrize("command", TOLD)
def test_who_is_told_where_they_lie_now_finds_them(
    command: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(workspace)
    assert main([*TOLD[command], "--dataset", "moved.npz"]) == 0
    capsys.readouterr()
    assert Study.load("study").config.protocol.dataset == "images.npz"


@pytest.mark.parametrize("command", [one for one in TOLD if one not in ("select", "run by a worker")])
def test_other_images_are_refused(
    command: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(workspace)
    assert main([*TOLD[command], "--dataset", "other.npz"]) == 2
    said = "study with another protocol.dataset" if command == "run" else "was made with other images of images.npz"
    assert said in capsys.readouterr().err
