"""What was added by a script is known to all that the script starts, and to the commands that it tells to type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.cli import parse
from search.program import USUAL, started_with, typed

ROOT = Path(__file__).parents[2]
SCRIPT = """
from evaluators.cost.models import COST_MODELS
from evaluators.objectives import OBJECTIVES, Objective
from search.cli import main

COST_MODELS["layers"] = lambda layers: float(len(layers))
OBJECTIVES["layers"] = Objective(name="layers", unit="operations", direction="minimize", stage="cost", label="layers")
raise SystemExit(main())
"""
WORDS = ["plot", "there"]


@pytest.mark.parametrize(
    ("argv", "words", "start", "shown"),
    [
        (["my own.py", *WORDS], WORDS, ("my own.py",), "python 'my own.py'"),
        (["mine.py"], WORDS, USUAL, "python -m search"),  # words of the script's own, whatever it is given
        (["/x/search/__main__.py", *WORDS], WORDS, USUAL, "python -m search"),
        (["/bin/bitfront", *WORDS], WORDS, USUAL, "bitfront"),
    ],
)
def test_a_script_that_hands_its_words_over_is_the_program(
    argv: list[str], words: list[str], start: tuple[str, ...], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert (started_with(words), typed(words)) == (start, shown)
    assert (parse(words).start, parse(words).program) == (start, shown)


def test_an_objective_of_a_script_is_known_to_its_workers(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = ["--objectives", "layers,bops", "--trials", "2", "--workers", "2", "--out", "study"]
    command = [sys.executable, "mine.py", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "next:     python mine.py select study" in done.stdout
