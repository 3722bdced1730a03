"""Files that are either the old or the new ones, never half; and folders for them."""

import os
from pathlib import Path

from space.errors import unwritable


def write_text(path: Path, text: str, *, private: bool = False) -> Path:
    """Write a UTF-8 file at once: a reader, or a power cut, finds the old content or the new one.

    Args:
        path: in an existing folder.
        text: with its own line ends. What of a file's name is no text becomes an escape, which JSON reads back.
        private: readable by its owner only; else as the umask says.
    Returns: the path. Raises OSError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path


def make_folder(folder: Path) -> None:
    """Create a folder and those above it, unless it is there; UserError if that can't be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
