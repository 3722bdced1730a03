"""What a person can fix, said in one line."""

from collections.abc import Iterable
from difflib import get_close_matches

from space.shown import line


class UserError(Exception):
    """Bad input: what is wrong, what was got, what was expected, and a hint; the program ends with status 2.

    Args:
        what: the thing that is wrong, in a few words.
        got: what the user gave, as given.
        expected: what would have been right.
        hint: what to do next.
    """

    def __init__(self, what: str, *, got: object = None, expected: str = "", hint: str = "") -> None:
        self.what, self.got, self.expected, self.hint = what, got, expected, hint
        parts = [what] if got is None else [f"{what}: got {_shown(got)}"]
        parts += [f"expected {expected}"] if expected else []
        parts += [f"hint: {hint}"] if hint else []
        super().__init__("; ".join(parts))


class OutOfSpace(UserError):  # noqa: N818
    """A disk is full: nobody's fault who was at work, and worth another try when there is room again."""


class UnknownName(UserError):  # noqa: N818 (it says what happened; every other error is plain UserError)
    """A name that nothing is called by; suggests the nearest one that exists."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name[:100], names, n=1) if isinstance(name, str) else []
        hint = f"did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind}", got=name, expected="one of " + ", ".join(names), hint=hint)


class Damage(UserWarning):
    """Something stored was damaged, and is put aside or made again. The command line tells it in one line."""


def unwritable(place: object, error: OSError, kind: str = "folder") -> UserError:
    """Say that a folder, or another kind of place for output, can't be written, and why."""
    reason = (error.strerror or type(error).__name__).lower()
    return UserError(f"output {kind}", got=str(place), expected=f"a {kind} that can be written", hint=reason)


def _shown(value: object, limit: int = 80) -> str:
    """One line of at most `limit` characters: whatever was pasted must not flood or steer the terminal.

    The middle is left out, since a path says most at its end.
    """
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python refuses to write whole numbers of thousands of digits
        text = "a number too long to show"
    text = line(text)
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"
