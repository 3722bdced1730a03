"""Paths that start at somebody's home."""

from pathlib import Path

from space.errors import UserError


def expanded(path: Path, hint: str = "write the whole path") -> Path:
    """The path with ~ as the user's home, or ~name as another's.

    Args:
        path: any.
        hint: what to do where that is the home of nobody.
    Raises: UserError where it is.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UserError("a path starts at an unknown home", got=str(path), hint=hint) from error
