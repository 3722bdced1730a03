"""What the commands read back from a study's folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluators.base import Protocol
from space.candidate import Candidate
from space.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a transferred attack is crafted on.

    Attributes:
        candidate: text form.
        study: folder of the study that it was selected in; None for one that was named itself.
        protocol: of that study.
    """

    candidate: str
    study: Path | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def check(self, protocol: Protocol) -> None:
        """Raise UserError if the source was selected on other images or in another network than those at hand."""
        for name, what in (("checksum", "data set"), ("network", "network")):
            here, there = getattr(protocol, name), self.protocol.get(name)
            if self.study is not None and here != there:
                named = ("dataset",) if name == "checksum" else ()
                raise UserError(
                    f"the study of --source has another {what}",
                    got=" ".join(str(self.protocol.get(part)) for part in (*named, name)),
                    expected=" ".join(getattr(protocol, part) for part in (*named, name)),
                    hint=f"--source {self.candidate} takes its candidate as such",
                )


def read_source(text: str) -> Source:
    """Read a candidate, or the folder of a study whose selected candidate is meant; UserError for anything else."""
    try:
        return Source(candidate=str(Candidate.parse(text)))
    except UserError as error:
        folder = Path(text)
        if not folder.is_dir():
            expected = "a candidate, or the folder of a run"
            raise UserError("--source", got=text, expected=expected, hint=error.hint or error.what) from None
    chosen = _selected(folder)
    if chosen is None:
        hint = "select chooses one"
        raise UserError("--source", got=text, expected="the folder of a run with a selected.json", hint=hint)
    try:
        candidate, protocol = Candidate.parse(str(chosen["candidate"])), dict(chosen["protocol"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder) from error
    return Source(candidate=str(candidate), study=folder, protocol=protocol)


def chosen_in(folder: Path) -> int | None:
    """Trial number of the selected candidate, None where none is selected; UserError for a damaged file."""
    chosen = _selected(folder)
    try:
        return None if chosen is None else int(chosen["number"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error


def _selected(folder: Path) -> dict[str, Any] | None:
    """What selected.json holds; None where there is none."""
    path = folder / "selected.json"
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(folder) from error


def _damaged(folder: Path) -> UserError:
    path, hint = folder / "selected.json", "select writes it anew"
    return UserError("damaged file", got=str(path), expected="a selected candidate", hint=hint)
