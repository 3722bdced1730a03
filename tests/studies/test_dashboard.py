"""optuna-dashboard, another program, opens a study as it is."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from closed_form import Arithmetic, config

from evaluators.objectives import find_objectives
from studies import Limit, Stop, Study
from studies.storage.shown import axis_names, shown

pytest.importorskip("optuna_dashboard")
Api = Callable[[str], Any]
PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


@pytest.fixture(params=["journal", "database"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return None if request.param == "journal" else f"sqlite:///{tmp_path}/trials.db"


@pytest.fixture
def study(tmp_path: Path, storage: str | None) -> Study:
    limits = (Limit.parse("bops<=1e7"),)
    study = Study.open(tmp_path / "study", config(sampler="random", limits=limits), storage)
    study.run(Arithmetic(), Stop(trials=8))
    return study


@pytest.fixture
def dashboard(study: Study, storage: str | None) -> Iterator[Api]:
    """`dashboard(path)`: what it answers on loopback, from the study's own storage."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = storage or str(study.folder / "journal.log")
    program = [sys.executable, "-c", "from optuna_dashboard._cli import main; main()"]
    words = [where, "--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref", "--quiet"]
    server = subprocess.Popen([*program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{port}/api/{path}", timeout=30) as answer:
            return json.load(answer)

    try:
        wait(ask, server)
        yield ask
    finally:
        server.terminate()
        server.wait(30)


def wait(ask: Api, server: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    for _ in range(600):
        assert server.poll() is None, "the dashboard ended"
        try:
            ask("meta")
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the dashboard does not answer")


def test_it_shows_names_units_and_what_was_measured(study: Study, dashboard: Api) -> None:
    [summary] = dashboard("studies")["study_summaries"]
    found = dashboard(f"studies/{summary['study_id']}")
    assert found["objective_names"] == ["acc (fraction)", "pgd (fraction)", "log2 bops (bit-ops)"]
    assert found["directions"] == ["maximize", "maximize", "minimize"]
    records = study.records()
    assert len(found["trials"]) == len(records)
    assert {record.state for record in records} >= {"complete", "vetoed"}
    for trial, record in zip(found["trials"], records, strict=True):
        said = {one["key"]: one["value"] for one in trial["user_attrs"]}
        assert said["candidate"] == record.candidate
        assert said["state"] == record.state
        assert said["verdict"] == record.verdict
        assert float(said["seconds"]) == round(record.seconds, 3)
        for name, unit in (("acc", "fraction"), ("bops", "bit-ops")):
            if name in record.measurements:
                text = said[f"{name} ({unit})"]
                value, error = record.measurements[name].value, record.measurements[name].stderr
                assert [float(part) for part in text.split(" ± ")] == pytest.approx(
                    [value, error][: 1 + bool(error)], 0.05
                )


def test_what_is_shown_is_of_no_more_than_the_objectives(study: Study) -> None:
    complete = next(record for record in study.records() if record.state == "complete")
    said = shown(complete, ("pgd", "bops"))
    assert list(said) == ["candidate", "state", "verdict", "seconds", "pgd (fraction)", "bops (bit-ops)"]
    assert axis_names(find_objectives(["memory"])) == ["log2 memory (bytes)"]


def test_the_page_names_the_command() -> None:
    assert "optuna-dashboard runs/mnist5k-mnistconv/journal.log" in PAGE
