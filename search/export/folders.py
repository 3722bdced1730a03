"""The folder of an export: another file's neighbour until it is whole, then in its place at once."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.export.configuration import CONFIG, read_configuration
from search.export.programs import ONNX, PT2
from search.export.running import PACKED, WEIGHTS
from space import UserError
from space.errors import unwritable

CARD, VERIFIED = "model_card.md", "verify.json"
FILES = (CONFIG, WEIGHTS, PACKED, ONNX, PT2, VERIFIED, CARD)
"""All that an export consists of."""


def check_free(out: Path) -> None:
    """Raise UserError unless nothing is there, or an empty folder, or an earlier export that may be replaced."""
    if not out.exists() and not out.is_symlink():
        return
    if out.is_dir() and not out.is_symlink() and (not any(out.iterdir()) or _is_export(out)):
        _check_movable(out)
        return
    expected = "a new folder, an empty one, or an earlier export"
    raise UserError("--out is taken", got=str(out), expected=expected, hint="choose another --out")


def _check_movable(out: Path) -> None:
    """Raise UserError for a folder whose place no other can take: a mount, or where this process is."""
    if out.is_mount() or out.samefile("."):
        expected = "a folder whose place another can take: no mount, not the current one"
        hint = f"choose a folder in it, such as {out / 'export'}"
        raise UserError("--out", got=str(out), expected=expected, hint=hint)


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of `out` when the block ends; an exception leaves nothing.

    Raises: UserError where the folder can't be made.
    """
    part = _beside(out)
    try:
        yield part
        _replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _beside(out: Path) -> Path:
    part = out.parent / f".{out.name}.{os.getpid()}.part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    except OSError as error:
        raise unwritable(out, error) from error
    return part


def _replace(part: Path, out: Path) -> None:
    """An earlier export goes only once the new one has its place."""
    old = part.with_suffix(".old")
    check_free(out)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _is_export(folder: Path) -> bool:
    """Whether all that is there was written by an export, so that nothing else is lost with it."""
    if {path.name for path in folder.iterdir()} - set(FILES):
        return False
    try:
        return bool(read_configuration(folder))
    except UserError:
        return False
