"""The command line as a process: exit statuses, streams, terminals."""

import errno
import os
import pty
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from search.cli import main
from search.parser import COMMANDS

Call = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "optuna", "matplotlib", "rich", "numpy"}


NO_WEIGHTS = "the lock file names no weights: .* was made with other images of mnist5k.*\n"
"""What `select` says of the finished study, which was made without any images."""


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["select", "-h"], ["diagnose", "-h"], ["--trails", "3"]]
)
def test_help_and_typing_errors_load_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from search.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"sys.exit(sorted({HEAVY} & sys.modules.keys()) or None)"
    )
    command = [sys.executable, "-c", code, *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_importing_search_loads_nothing_heavy() -> None:
    code = f"import sys, search; sys.exit(sorted({HEAVY} & sys.modules.keys()) or None)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_help_fits_eighty_columns(bitfront: Call, command: str) -> None:
    ended = bitfront(*filter(None, [command]), "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert "python -m search" in ended.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["frobnicate"],
            "unknown command: got 'frobnicate'; "
            "expected one of audit, compare, confirm, cost, diagnose, evaluate, export, plot, report, reproduce, run,",
        ),
        (["--trails", "3"], "unknown flag of run: got '--trails'; hint: did you mean --trials?"),
        (["--objectives", "acc,pdg"], "unknown objective: got 'pdg'"),
        (
            ["--epsilon", "8"],
            "--epsilon: got '8'; expected 0 to 1, as a part of the pixel range; hint: write 8/255",
        ),
        (
            ["--time", "soon"],
            "--time: got 'soon'; expected a time longer than 0; hint: e.g. 90, 90s, 5m or 1h",
        ),
        (["--device", "gpu"], "unknown device: got 'gpu'; expected auto, cpu, cuda or cuda:N"),
        (["--limit", "bops"], "malformed limit: got 'bops'"),
        (["--space", "nowhere.toml"], "nowhere.toml"),
        (["cost", "in9:fp", "--network", "resnet20"], "input bits out of range: got 9; expected 1 to 8"),
        (["cost", "fp\n\x1b[31mred", "--network", "resnet20"], "candidate"),
        (["diagnose", "fp", "--out", "d", "--only", "step"], "unknown diagnostic: got 'step'"),
        (["diagnose", "fp", "--out", "d", "--restarts", "0"], "attack restarts out of range: got 0"),
        (["plot", "nowhere"], "no study: got 'nowhere'"),
        (["select", "nowhere", "--limit", "x<=1"], "no study: got 'nowhere'"),
    ],
)
def test_what_the_user_can_fix_is_one_line_and_status_2(
    bitfront: Call, tmp_path: Path, words: list[str], message: str
) -> None:
    ended = bitfront(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("bitfront: error: ")
    assert message in line
    assert line.isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_error(finished: Path) -> None:
    command = f"{sys.executable} -m search select '{finished}' --json | head -n 1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(NO_WEIGHTS, ended.stderr)
    assert ended.stdout.splitlines()[0] == "{"


@pytest.mark.parametrize("words", ["cost fp --network resnet20", "cost fp --network resnet20 --json", "--help"])
def test_a_reader_that_has_left_has_a_status_of_its_own(words: str) -> None:
    """Tables are rich's, which would make a fault of the program of it."""
    command = f"{sys.executable} -m search {words} | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_a_closed_stdout_is_no_error() -> None:
    command = f"{sys.executable} -m search cost fp --network resnet20 >&-"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stderr == ""


@pytest.mark.parametrize("words", ["cost fp --network resnet20 --json", "--help", "cost --help"])
def test_a_full_disk_is_said_in_one_line(words: str) -> None:
    command = f"{sys.executable} -m search {words} >/dev/full"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "bitfront: error: No space left on device\n")


def on_a_terminal(*words: str, **extra: str) -> str:
    """What a command writes to a terminal of 80 columns."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **extra}
    command = [sys.executable, "-m", "search", *words]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=slave, stderr=slave) as process:
        os.close(slave)
        written = b""
        while chunk := _read(master):
            written += chunk
    os.close(master)
    assert process.returncode == 0, written
    return written.decode()


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_of_eighty_columns_holds_every_table_row() -> None:
    written = on_a_terminal("cost", "fp+mbn3x1", "--network", "resnet20")
    rows = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in written.splitlines()]
    assert "1.49e8" in written
    assert max(map(len, rows)) <= 80
    assert "\x1b[" in written


def test_no_color_is_respected() -> None:
    written = on_a_terminal("cost", "mbn3x1", "--network", "resnet20", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", written)


def test_pipes_get_no_escapes(bitfront: Call) -> None:
    ended = bitfront("cost", "mbn3x1", "--network", "resnet20", TERM="xterm-256color")
    assert ended.returncode == 0
    assert "\x1b" not in ended.stdout


def test_an_encoding_without_plus_minus_is_no_reason_to_fail(bitfront: Call, finished: Path) -> None:
    ended = bitfront("select", str(finished), PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert re.fullmatch(NO_WEIGHTS, ended.stderr)
    assert "selected" in ended.stdout


@pytest.mark.parametrize(
    "words",
    [
        "select",
        "report",
        "plot",
        "worker",
        "confirm",
        "audit",
        "compare",
        "export --out e",
        "evaluate --from-lock",
        "--out",
    ],
)
def test_a_folder_that_may_not_be_entered_is_said_in_one_line(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(look: Callable[[Path], bool]) -> Callable[[Path], bool]:
        def refuse(path: Path) -> bool:
            if path.parent.name == "closed":  # the folder's own name may be read
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return look(path)

        return refuse

    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").mkdir()
    for name in ("exists", "is_file"):
        monkeypatch.setattr(Path, name, closed(getattr(Path, name)))
    assert main([*words.split(), "closed"]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"bitfront: error: Permission denied: got 'closed/[a-z]+\.json'\n", told)


def test_damage_is_told_in_one_line_and_names_no_line_of_code(tmp_path: Path) -> None:
    (tmp_path / "journal.log").write_text("what another program left\n")
    words = ["--objectives", "memory,bops", "--trials", "1", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "search", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first = ended.stderr.splitlines()[0]
    assert first.startswith(f"bitfront: warning: the end of {tmp_path}/journal.log was damaged")
    assert "journal.py" not in ended.stderr
    assert (tmp_path / "journal.log.damaged").read_text() == "what another program left\n"


def test_other_warnings_keep_their_place(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    usual = warnings.formatwarning

    def warn(args: object) -> int:
        print(warnings.formatwarning(UserWarning("of a library"), UserWarning, "there.py", 7))
        return 0

    monkeypatch.setattr("search.cli._command", lambda name: warn)
    assert main(["cost", "fp", "--network", "resnet20"]) == 0
    assert "there.py:7: UserWarning: of a library" in capsys.readouterr().out
    assert warnings.formatwarning is usual
