"""Every command of the README runs, at a budget of seconds."""

import numpy as np
import pytest
from pages import ROOT, blocks, commands, run, small

PAGE = ROOT / "README.md"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, mnist5k):
    """A folder with what a reader of the README has: own images and a space."""
    folder = tmp_path_factory.mktemp("reader")
    grey = {"train": mnist5k.train.head(300), "test": mnist5k.test.head(100)}
    arrays = {f"x_{name}": split.images[:, 0].numpy() for name, split in grey.items()}
    labels = {f"y_{name}": split.labels.numpy() for name, split in grey.items()}
    np.savez(folder / "mine.npz", **arrays, **labels)
    colour = {name: np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None].repeat(3, 3) for name, x in arrays.items()}
    np.savez(folder / "cifar10.npz", **colour, **labels)
    (folder / "mine.toml").write_text(blocks(PAGE, "toml")[0])
    return folder


def test_commands_run_in_the_order_of_the_readme(workspace):
    assert len(commands(PAGE)) == 11
    for command in commands(PAGE):
        assert run(["-m", "search", *small(command)], workspace).stdout.strip(), command
    made = {path.name for path in (workspace / "runs" / "mine").iterdir()}
    named = [
        "study.json",
        "trials.csv",
        "front.csv",
        "front.json",
        "front.png",
        "history.png",
        "selected.json",
        "journal.log",
    ]
    assert made >= set(named)


def test_first_screen_shows_the_command_and_its_picture():
    first = PAGE.read_text().splitlines()[:25]
    assert any("python -m search --objectives acc,pgd,bops" in line for line in first)
    picture = next(line for line in first if line.startswith("!["))
    assert (ROOT / picture[picture.index("(") + 1 : -1]).stat().st_size > 10_000
