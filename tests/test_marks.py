import os
import subprocess
import sys
from pathlib import Path

import pytest

MARKED = """
import sys
import pytest

@pytest.mark.data
def test_of_complete_sets(complete):
    assert complete.is_dir()

def test_without_marks():
    assert "torch" not in sys.modules
"""


@pytest.fixture
def outcome(tmp_path):
    def run(**variables: str) -> str:
        (tmp_path / "test_marked.py").write_text(MARKED)
        (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    data: d\n    gpu: g\n    slow: s\n")
        clean = {name: value for name, value in os.environ.items() if name != "BITFRONT_DATA"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, env=clean | variables, cwd=tmp_path)
        return done.stdout.strip().splitlines()[-1]

    return run


def test_tests_of_complete_sets_are_left_out_without_them(outcome):
    assert outcome().startswith("1 passed, 1 deselected")


def test_tests_of_complete_sets_run_where_the_sets_are(outcome, tmp_path):
    assert outcome(BITFRONT_DATA=str(tmp_path)).startswith("2 passed")
