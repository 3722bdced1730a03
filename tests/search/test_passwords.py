"""The password in a storage's URL is told to nobody: no message, no traceback, no file but the private pointer."""

import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import search.commands.run
from search.cli import main
from space import UserError
from studies import Study

Use = Callable[..., None]
Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
SECRETS = ("hunter2", "sw0rd")
URLS = (
    "postgresql://me:hunter2@127.0.0.1:1/x",
    "postgresql://me:hunter2@sw0rd@127.0.0.1:1/x",
    "postgresql+psycopg://me:hunter2@127.0.0.1:port/x",
    "postgresql+nodriver://me:hunter2@127.0.0.1/x",
    "mysql://me:hunter2@127.0.0.1/x",
    "mysql+pymysql://me:hunter2@127.0.0.1/x",
    "sqlite://me:hunter2@/no/such/x.db",
    "postgresql://127.0.0.1:1/x?user=me&password=hunter2",
    "postgresql://me:hunter2%40sw0rd@127.0.0.1:1/x",
    "redis://:hunter2@127.0.0.1:1/0",
    "nonsense://me:hunter2@",
)
PLACES = (
    ("run", "--out", "new", "--storage", "{}"),
    ("run", "--out", "study", "--storage", "{}"),
    ("run", "--out", "study", "--storage={}"),
    ("plot", "study", "--storage", "{}"),
    ("select", "nowhere", "--storage", "{}"),
    ("audit", "nowhere", "--storage", "{}"),
    ("plot", "{}"),
    ("compare", "{}", "{}"),
    ("plot", "study", "{}"),
    ("run", "--storag={}"),
    ("run", "{}"),
    ("{}",),
    ("--out", "{}/x\0"),
    ("--space", "{}"),
    ("--limit", "{}"),
    ("--cost-model", "{}"),
    ("--source", "{}"),
    ("--device", "{}"),
)


def harmless(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize("words", PLACES, ids=" ".join)
def test_no_complaint_tells_it(words: tuple[str, ...], study: Path, capsys: Capture) -> None:
    for url in URLS if words == PLACES[0] else (URLS[1], URLS[7]):
        assert main([word.replace("{}", url) for word in words]) == 2
        told = capsys.readouterr()
        assert harmless(told.out + told.err), told.err


def test_no_file_but_the_private_one_holds_it_and_the_command_that_goes_on_does_without(
    tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The database is SQLite, which ignores the parameter."""
    monkeypatch.chdir(tmp_path)

    def interrupt(candidate: object, seen: list[object] = []) -> None:  # noqa: B006 (counts over calls)
        seen.append(candidate)
        if len(seen) == 4:
            raise KeyboardInterrupt

    use_table(interrupt)
    url = f"sqlite:///file:{tmp_path}/trials.db?uri=true&password=hunter2"
    words = ["--trials", "6", "--out", "s", "--storage", url]
    assert main(words) == 130
    told = capsys.readouterr()
    assert harmless(told.out + told.err)
    again = re.search(r"resume with: python -m search (.*)", told.err)
    assert again is not None
    assert main(again[1].split()) == 0
    told = capsys.readouterr()
    assert harmless(told.out + told.err)
    holding = [path.name for path in (tmp_path / "s").iterdir() if not harmless(path.read_bytes().decode("latin1"))]
    assert holding == ["storage.json"]
    assert (tmp_path / "s" / "storage.json").stat().st_mode & 0o077 == 0
    assert harmless((tmp_path / "trials.db").read_bytes().decode("latin1"))


def test_no_traceback_tells_it(tmp_path: Path, use_table: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in mid-run, and a database that goes away."""
    monkeypatch.chdir(tmp_path)
    use_table()
    url = f"sqlite:///file:{tmp_path}/trials.db?uri=true&password=hunter2"

    def broken(*_: object) -> None:
        raise RuntimeError(f"no answer from {tmp_path}")

    monkeypatch.setattr(search.commands.run, "_leave", broken)
    with pytest.raises(RuntimeError):
        try:
            main(["--trials", "3", "--out", "s", "--storage", url])
        except RuntimeError:
            assert harmless(traceback.format_exc())
            raise
    (tmp_path / "trials.db").write_bytes(b"no database" * 100)
    with pytest.raises(UserError) as caught:
        Study.load(tmp_path / "s")
    assert harmless("".join(traceback.format_exception(caught.value)))


def test_nothing_of_a_process_tells_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SQLALCHEMY_WARN_20": "1"}
    command = [sys.executable, "-X", "dev", "-m", "search", "plot", "nowhere", "--storage", URLS[0]]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert harmless(ended.stdout + ended.stderr)
