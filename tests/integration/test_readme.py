"""Every command of the README runs, at a budget of seconds."""

import json

import pytest
from pages import ROOT, blocks, commands, own_images, run, small

PAGE = ROOT / "README.md"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, mnist5k):
    """A folder with what a reader of the README has: own images and a space."""
    folder = tmp_path_factory.mktemp("reader")
    own_images(folder, mnist5k)
    (folder / "mine.toml").write_text(blocks(PAGE, "toml")[0])
    return folder


def test_commands_run_in_the_order_of_the_readme(workspace):
    assert len(commands(PAGE)) == 14
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
        "report.html",
        "confirmed.json",
    ]
    assert made >= set(named)
    assert json.loads((workspace / "deployed" / "verify.json").read_text())["deployable"] is True


def test_first_screen_shows_the_command_and_its_picture():
    first = PAGE.read_text().splitlines()[:25]
    assert any("python -m search --objectives acc,pgd,bops" in line for line in first)
    picture = next(line for line in first if line.startswith("!["))
    assert (ROOT / picture[picture.index("(") + 1 : -1]).stat().st_size > 10_000
