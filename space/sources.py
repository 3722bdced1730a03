"""Where the description of a search space is read from: a preset, a file, or TOML as it stands."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from space.checks import known_name
from space.errors import UserError

PRESETS = ("tiny", "mnist", "cifar10")
"""Names of the search spaces that come with the package."""

MAX_BYTES = 1_000_000
"""Longer files are not read: whoever names a checkpoint by mistake should hear so at once."""


def read_preset(name: str) -> str:
    """The TOML text of a preset; UnknownName with the nearest one otherwise."""
    file = f"{known_name('search space preset', name, PRESETS)}.toml"
    return (files("space") / "presets" / file).read_text(encoding="utf-8")


def read_toml(text_or_path: str | Path) -> dict[str, Any]:
    """Parse TOML text, or the file at a path (a Path, or text without a line break or '=').

    Raises UserError for a file that cannot be read and for malformed TOML.
    """
    if isinstance(text_or_path, Path) or not any(sign in text_or_path for sign in "=\n"):
        return _parse(_text_of(Path(text_or_path)), source=str(text_or_path))
    return _parse(text_or_path, source="search space")


def is_file(path: str) -> bool:
    """Whether a regular file is at this path; False for what cannot be a path."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def _text_of(path: Path) -> str:
    expected = "a readable TOML file"
    if not is_file(str(path)):
        raise UserError("search space file", got=str(path), expected=expected, hint="no file is there")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise UserError("search space file", got=str(path), expected=expected, hint=reason) from error
    if len(content) > MAX_BYTES:
        raise UserError(
            "search space file too long",
            got=str(path),
            expected=f"at most {MAX_BYTES} bytes",
            hint="is it TOML?",
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UserError("search space file", got=str(path), expected=expected, hint="not UTF-8") from error


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise UserError("malformed TOML", got=source, expected="valid TOML", hint="lists too deep") from error
    except ValueError as error:  # TOMLDecodeError, and numbers too long to convert
        raise UserError("malformed TOML", got=source, expected="valid TOML", hint=str(error)[:120]) from error
