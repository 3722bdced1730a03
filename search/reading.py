"""What the commands read back from a study's folder."""

import json
from pathlib import Path

from space.errors import UserError


def chosen_in(folder: Path) -> int | None:
    """Trial number of the selected candidate, None where none is selected; UserError for a damaged file."""
    path = folder / "selected.json"
    if not path.is_file():
        return None
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["number"])
    except (ValueError, KeyError, TypeError) as error:
        hint = "select writes it anew"
        raise UserError("damaged file", got=str(path), expected="a selected candidate", hint=hint) from error
