"""What docs/data.md shows works, and folders do on the command line what it says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.cli import main

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "data.md").read_text()
RNG = np.random.default_rng(0)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with three classes of images of many sizes, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BITFRONT_CACHE", str(tmp_path / "cache"))
    for label, kind in enumerate(("cat", "dog", "emu")):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for i in range(7):
            noise = RNG.integers(0, 120, (48 + 16 * (i % 3), 64 + 36 * (i % 2), 3), dtype=np.uint8)
            noise[..., label] += 120
            Image.fromarray(noise).save(tmp_path / "photos" / kind / f"{i}.jpg")
    return tmp_path / "photos"


def test_examples_run_in_the_order_of_the_document(photos, capsys):
    (program,) = blocks("python")
    exec(compile(program, "docs/data.md", "exec"), {})
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "search"]
        assert main(words[3:]) == 0
        assert "acc" in capsys.readouterr().out


def test_resnet18_trains_on_a_folder_at_224_and_its_costs_follow_the_classes(photos):
    words = ["evaluate", "fp", "--network", "resnet18", "--dataset", "folder:photos@224", "--epochs", "1"]
    words += ["--train-images", "8", "--images", "4", "--objectives", "acc,bops"]
    found = answer(words, photos.parent)
    assert 0 <= found["measurements"]["acc"]["value"] <= 1
    of_1000 = answer(["cost", "fp", "--network", "resnet18"], photos.parent)
    last = of_1000["layers"][-1]
    assert last["macs"] == 512 * 1000
    per_class = 512 * last["weight_bits"] * last["activation_bits"]
    assert found["measurements"]["bops"]["value"] == of_1000["bops"] - 997 * per_class


def answer(words: list[str], folder: Path) -> dict:
    """What a process of its own prints as JSON."""
    environment = {"PYTHONPATH": str(ROOT), "BITFRONT_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "search", *words, "--json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_unequal_images_without_a_size_end_with_the_way_out(photos):
    command = [sys.executable, "-m", "search", "evaluate", "fp", "--dataset", "folder:photos"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("bitfront: error: images of unequal size: got '100x64 in cat/1.jpg'; expected 64x48")
    assert line.endswith("hint: folder:PATH@SIZE resizes them all, for instance folder:PATH@224")
