"""From words on the command line to an exit status; every way to end is here."""

import errno
import io
import os
import signal
import sys
import threading
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib import import_module

from search.parser import COMMANDS, Parser, build_parser, flags
from search.program import started_with, typed
from search.values import settle_efficiency
from space.errors import Damage, UnknownName, UserError
from space.shown import line

USER, INTERRUPTED, NOBODY_READS, TERMINATED = 2, 130, 141, 143
"""Exit statuses; an error of ours leaves with a traceback and 1. The last are 128 + the signal, as in a shell."""

FIXABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS)
"""What of the system's refusals is the user's to mend wherever it happens: space on the disk, the length of a name,
leave to read or write."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Args:
        argv: words after the program's name; those of this process by default.
    """
    _mend_streams()
    with _terminated() as terminated, _plain_warnings():
        status = _end(sys.argv[1:] if argv is None else list(argv))
    return TERMINATED if terminated and status == INTERRUPTED else status


def _end(words: list[str]) -> int:
    """Do what the words say; the exit status, however it ends."""
    try:
        args = parse(words)
        status = _command(args.command)(args)
        sys.stdout.flush()
        return status
    except UserError as error:
        _say(f"bitfront: error: {error}")
        return USER
    except KeyboardInterrupt:
        _say("bitfront: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return NOBODY_READS
    except OSError as error:
        if error.errno not in FIXABLE:
            raise
        what = UserError(error.strerror or "the disk refuses", got=error.filename)
        _say(f"bitfront: error: {what}")
        _silence()
        return USER


def parse(words: list[str]) -> Namespace:
    """Read the words; `run` is meant where no command is named. UserError for what can't be read."""
    parser, start = build_parser(typed(words)), started_with(words)
    if any("\0" in word for word in words):
        raise UserError("a word holds the character NUL", hint="no file and no name can")
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["run", *words]
    if not words[0].startswith("-") and words[0] not in COMMANDS:
        raise UnknownName("command", words[0], COMMANDS)
    args, unknown = parser.parse_known_args(words)
    if unknown:
        raise _unknown(parser, args.command, unknown[0])
    settle_efficiency(args)
    args.program, args.start, args.words = parser.prog, start, words
    return args


def _unknown(parser: Parser, command: str, word: str) -> UserError:
    """The complaint about a word that the command doesn't know."""
    name = word.split("=", 1)[0]
    if not name.startswith("-"):
        return UserError(f"{command} takes no further words", got=word, hint=f"{command} --help lists what it takes")
    near = get_close_matches(name, flags(parser)[command], n=1)
    hint = f"did you mean {near[0]}?" if near else f"{parser.prog} {command} --help lists its flags"
    return UserError(f"unknown flag of {command}", got=name, hint=hint)


def _command(name: str) -> Callable[[Namespace], int]:
    """The function behind a command; imported when it is called for, so that --help loads no torch."""
    execute: Callable[[Namespace], int] = import_module(f"search.commands.{name}").execute
    return execute


@contextmanager
def _terminated() -> Iterator[list[int]]:
    """Let SIGTERM, which batch systems send, end a command as Control-C does; the list holds it when it came."""
    came: list[int] = []

    def end(number: int, frame: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    mine = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if mine:
        signal.signal(signal.SIGTERM, end)
    try:
        yield came
    finally:
        if mine:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Tell of damage as of errors, without the line of code that found it; other warnings stay as they are."""
    usual = warnings.formatwarning

    def plain(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        return _told(message) if issubclass(category, Damage) else usual(message, category, filename, lineno, line)

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = usual


def _told(message: Warning | str) -> str:
    return f"bitfront: warning: {line(str(message))}\n"


def _say(text: str) -> None:
    """Tell how it ended, on stderr."""
    print(line(text), file=sys.stderr)


def _mend_streams() -> None:
    """Make both streams take any text: none may be missing, or fail over a sign that it can't encode."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (lives as long as the process)
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _silence() -> None:
    """Keep the interpreter from complaining at exit about a reader that went away."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(io.UnsupportedOperation):  # no file is behind it
            os.dup2(nowhere, stream.fileno())
