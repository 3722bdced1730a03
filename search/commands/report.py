"""`report STUDY`: one self-contained HTML file that shows a study."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from errno import EISDIR, ENOENT
from os import strerror
from pathlib import Path
from typing import Any

from evaluators.base import check_range
from search.console import note, say, say_json
from search.reading import selected_in
from search.report import document_of, page_of
from space import UserError
from space.errors import unwritable
from studies import Study
from studies.storage.files import write_text
from studies.storage.place import check_writable

USUAL, MOST = 4, 12
"""Adversarial images of one candidate, where nothing else is asked for, and at most; more would not be looked at."""


def execute(args: Namespace) -> int:
    """Write the page and print where it is."""
    if args.images is not None:
        check_range("--images", args.images, 0, MOST)
    study = Study.load(args.study, storage=args.storage)
    out: Path = args.out or study.folder / "report.html"
    _check_place(out)
    selected = selected_in(study.folder)
    document = document_of(study, selected.number if selected else None, _samples(study, args))
    path = _written(out, page_of(document))
    size = path.stat().st_size
    if args.json:
        say_json({"report": str(path), "bytes": size})
    else:
        say(str(path))
    return 0


def _check_place(out: Path) -> None:
    """Raise UserError unless a page can be written there; said before images are attacked."""
    if not out.parent.is_dir():
        raise unwritable(out, FileNotFoundError(ENOENT, strerror(ENOENT)), "file")
    if out.is_dir():
        raise unwritable(out, IsADirectoryError(EISDIR, strerror(EISDIR)), "file")
    if out.exists() and not out.is_file():  # the page would take the place of a pipe, or of /dev/null
        raise UserError("output file", got=str(out), expected="a file, or none yet")
    check_writable(out.parent)


def _samples(study: Study, args: Namespace) -> Mapping[int, Sequence[dict[str, Any]] | str]:
    """Adversarial images of the front: they need the data, the trained members and memory, and are left out without."""
    if args.images == 0:
        return {}
    from search.opening import evaluator_of_study, one_evaluation
    from search.report.images import samples_of

    try:
        with one_evaluation():
            return samples_of(evaluator_of_study(study, args), study.front(), args.images or USUAL)
    except UserError as error:
        if args.images is not None:
            raise
        note(f"without adversarial images: {error}")
        return {}


def _written(path: Path, text: str) -> Path:
    try:
        return write_text(path, text)
    except OSError as error:
        raise unwritable(path, error, "file") from error
