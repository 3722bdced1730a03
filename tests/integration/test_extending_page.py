"""Every program of docs/extending.md runs as it stands, at a budget of seconds, and is as short as the page says."""

import re

import pytest
from pages import ROOT, blocks, run, small

PROGRAMS = blocks(ROOT / "docs" / "extending.md", "python")
LONGEST = 20
NEW = {"ternary": "ternary:x0.25", "traffic": "traffic", "lenet": "lenet", "parity": "parity"}
"""What each program adds, and the text by which its output names it."""


def test_there_is_one_for_each_thing_that_can_be_added():
    assert len(PROGRAMS) == len(NEW)


@pytest.mark.parametrize("program", PROGRAMS, ids=list(NEW))
def test_programs_are_short(program):
    code = [line for line in program.splitlines() if line.strip()]
    assert len(code) <= LONGEST


@pytest.mark.parametrize(("program", "name"), list(zip(PROGRAMS, NEW, strict=True)), ids=list(NEW))
def test_programs_run(program, name, tmp_path):
    cheap = re.sub(r"main\((\[.*\])\)", lambda found: f"main({small(eval(found[1]))!r})", program)
    assert cheap != program
    file = tmp_path / f"{name}.py"
    file.write_text(cheap)
    done = run([str(file)], tmp_path)
    assert "acc" in done.stdout
    assert NEW[name] in done.stdout + done.stderr
