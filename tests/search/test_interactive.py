"""`select --interactive` in a real terminal, with real keys."""

import json
import os
import pty
import re
import select as ready
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluators.objectives import find_objective
from search.cli import main
from search.interactive import HELP, KEYS, Walk
from studies import Limit, Study

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
UP, DOWN, ENTER = b"\x1b[A", b"\x1b[B", b"\r"


def sorted_front(study: Path, name: str) -> list[int]:
    sign = -1 if find_objective(name).maximize else 1
    members = Study.load(study).front()
    return [one.number for one in sorted(members, key=lambda r: (sign * r.measurements[name].value, r.number))]


class Terminal:
    """A process on a terminal of its own, which it controls."""

    def __init__(self, words: Sequence[str], folder: Path, rows: int = 30) -> None:
        self.master, child = pty.openpty()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "TERM": "xterm",
            "COLUMNS": "120",
            "LINES": str(rows),
            "BITFRONT_CACHE": str(folder / "cache"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "search", *words],
            cwd=folder,
            env=environment,
            preexec_fn=lambda: os.login_tty(child),  # so that Ctrl-C reaches it as a signal
            pass_fds=(child,),
        )
        os.close(child)
        self.shown = ""

    def read(self, until: str, seconds: float = 60.0) -> str:
        """All that is shown from now on until this text, which must come."""
        end, new = time.monotonic() + seconds, ""
        while until not in new:
            assert time.monotonic() < end, new
            if ready.select([self.master], [], [], 0.2)[0]:
                new += self._more()
        self.shown += new
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", new)

    def press(self, *keys: bytes) -> None:
        for key in keys:
            os.write(self.master, key)

    def end(self) -> int:
        """The exit status; whatever is still shown is read. The terminal echoes what is typed, as it did before."""
        while self.process.poll() is None:
            if ready.select([self.master], [], [], 0.2)[0]:
                self.shown += self._more()
        assert termios.tcgetattr(self.master)[3] & termios.ECHO
        os.close(self.master)
        return self.process.returncode

    def _more(self) -> str:
        try:
            return os.read(self.master, 65536).decode(errors="replace")
        except OSError:  # the other side has gone
            return ""


def chosen(study: Path) -> dict[str, object]:
    return dict(json.loads((study / "selected.json").read_text()))


def test_keys_walk_sort_and_choose(study: Path) -> None:
    terminal = Terminal(["select", "study", "--interactive"], study.parent)
    assert "front, not confirmed: 1 of" in terminal.read("q: leave")
    order = sorted_front(study, "pgd")
    assert len(order) >= 3
    terminal.press(b"s")
    assert "sorted by pgd" in terminal.read("q: leave")
    place = order.index(sorted_front(study, "acc")[0])
    terminal.press(*[UP] * place, DOWN, b"j", b"k")
    while f"{2} of {len(order)}" not in terminal.read("q: leave"):
        pass
    terminal.press(ENTER)
    assert terminal.end() == 0
    lock = chosen(study)
    assert lock["number"] == order[1]
    assert lock["rule"] == "by hand, from the front"
    assert lock["reason"] == f"#{order[1]} was picked among the {len(order)} records of the front"


@pytest.mark.parametrize("key", [b"q", b"\x1b"])
def test_leaving_chooses_nothing(study: Path, key: bytes) -> None:
    before = (study / "selected.json").read_bytes()
    terminal = Terminal(["select", "study", "--interactive"], study.parent)
    terminal.read("q: leave")
    terminal.press(DOWN, key)
    assert terminal.end() == 130
    assert "nothing was chosen; selected.json is as it was" in terminal.shown
    assert (study / "selected.json").read_bytes() == before


def test_ctrl_c_leaves_the_terminal_as_it_was(study: Path) -> None:
    terminal = Terminal(["select", "study", "--interactive"], study.parent)
    terminal.read("q: leave")
    assert not termios.tcgetattr(terminal.master)[3] & termios.ECHO
    terminal.press(b"\x03")
    assert terminal.end() == 130
    assert "bitfront: interrupted" in terminal.shown


def test_a_limit_made_on_a_row_goes_into_the_choice(study: Path) -> None:
    terminal = Terminal(["select", "study", "--interactive"], study.parent)
    terminal.read("q: leave")
    order = sorted_front(study, "acc")
    terminal.press(DOWN)
    terminal.read("2 of")
    terminal.press(b"l")
    assert "2 of 2" in terminal.read("q: leave")
    terminal.press(ENTER)
    assert terminal.end() == 0
    record = next(one for one in Study.load(study).front() if one.number == order[1])
    assert chosen(study)["number"] == order[1]
    assert chosen(study)["limits"] == [f"acc>={record.measurements['acc'].value:g}"]


def test_a_low_terminal_shows_the_rows_around_the_cursor(study: Path) -> None:
    terminal = Terminal(["select", "study", "--interactive"], study.parent, rows=12)
    terminal.read("q: leave")
    order = sorted_front(study, "acc")
    terminal.press(*[DOWN] * (len(order) + 3))
    last = terminal.read(f"{len(order)} of {len(order)}") + terminal.read("q: leave")
    assert re.search(rf">\s+{order[-1]} ", last)
    terminal.press(b"q")
    terminal.end()


def test_without_a_terminal_it_is_refused(study: Path, capsys: Capture) -> None:
    assert main(["select", "study", "--interactive"]) == 2
    message = capsys.readouterr().err
    assert "--interactive needs a terminal: got 'no terminal'; hint: --rule chooses without one" in message
    assert main(["select", "study", "--interactive", "--rule", "knee"]) == 2
    assert "--interactive chooses by hand: got 'knee'" in capsys.readouterr().err


@pytest.fixture
def walk(study: Path) -> Walk:
    loaded = Study.load(study)
    return Walk(records=loaded.records(), objectives=loaded.config.objectives, terms=loaded.config.terms)


def test_the_cursor_stays_in_the_table_and_on_its_candidate(walk: Walk) -> None:
    assert walk.pressed("up") == walk
    last = walk
    for _ in range(50):
        last = last.pressed("down")
    assert last.place == len(walk.rows) - 1
    moved = last
    for _ in walk.objectives:
        moved = moved.pressed("sort")
        assert moved.current == last.current
    assert moved.sorted_by == last.sorted_by


def test_limits_come_and_go(walk: Walk) -> None:
    assert walk.pressed("undo") == walk
    second = walk.pressed("down")
    limited = second.pressed("limit")
    value = second.current.measurements["acc"].value
    assert limited.terms.limits == (Limit("acc", ">=", value),)
    assert all(one.measurements["acc"].value >= value for one in limited.rows)
    assert limited.current == second.current
    assert limited.pressed("undo").rows == walk.rows


def test_every_key_is_explained() -> None:
    assert {*KEYS.values()} == {"up", "down", "choose", "sort", "limit", "undo", "leave"}
    assert all(part in HELP for part in ("jk", "Enter", "s: sort", "l: limit", "u: undo", "q: leave"))
