"""How this program was started, and so how another command of it is."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

USUAL = ("-m", "search")
"""What Python is started with."""


def started_with(words: Sequence[str]) -> tuple[str, ...]:
    """What Python is started with, before a command's words, for a program that knows all that this one knows.

    A script that has added something, an objective say, and hands its own words over, is a program of its own.

    Args:
        words: that the command line was given.
    """
    script = Path(sys.argv[0])
    own = script.suffix == ".py" and script.name != "__main__.py" and list(words) == sys.argv[1:]
    return (str(script),) if own else USUAL


def typed(words: Sequence[str]) -> str:
    """The same as a person types it."""
    before = started_with(words)
    if before == USUAL and Path(sys.argv[0]).name == "bitfront":
        return "bitfront"
    return f"python {shlex.join(before)}"
