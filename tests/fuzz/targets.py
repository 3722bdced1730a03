"""What is fuzzed: every reader of what a person may paste, pass or find, as a function of bytes.

Each reader may take its input or refuse it by a UserError in one printable line; anything else is a fault.
"""

import contextlib
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from space import Candidate, SearchSpace, UserError


@contextlib.contextmanager
def _refusing():
    """A refusal is an answer, if it can be shown."""
    try:
        yield
    except UserError as error:
        text = str(error)
        assert text.isprintable(), text
        assert len(text) < 2000, text


def _file(content: bytes, name: str) -> Path:
    folder = Path(tempfile.gettempdir()) / "bitfront-fuzz"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def candidate(content: bytes) -> None:
    """The text form of a candidate; what is read is written and read again as the same."""
    with _refusing():
        one = Candidate.parse(content.decode("utf-8", "surrogateescape"))
        assert Candidate.parse(str(one)) == one


def space(content: bytes) -> None:
    """A search space as TOML; what is read has a size and survives JSON."""
    with _refusing():
        found = SearchSpace.from_toml("\n" + content.decode("utf-8", "replace"))
        assert found.size > 0
        assert SearchSpace.from_json(found.to_json()) == found


def npz(content: bytes) -> None:
    """Images in an npz file."""
    from evaluators.data.npz import read_npz

    with _refusing(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_npz(_file(content, "own.npz"))


def journal(content: bytes) -> None:
    """The journal of a study: read, repaired as a run does, and read again to the same."""
    from studies import Study
    from studies.storage.journal import DamagedTail, repair

    path = _file(content, "journal.log")
    with _refusing(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedTail)
        with contextlib.suppress(UserError):
            Study.load(path.parent).records()
        repair(path)
        Study.load(path.parent).records()


def record(content: bytes) -> None:
    """A record as it is stored."""
    import json

    from studies.storage.stored import record_of

    try:
        stored = json.loads(content)
    except (ValueError, RecursionError):
        return
    with _refusing():
        record_of(0, stored)


def table(content: bytes) -> None:
    """A recorded table."""
    import gzip

    from studies.replay import Table

    with _refusing():
        Table.load(_file(content, "table.json.gz"))
    with _refusing():
        Table.load(_file(gzip.compress(content, 1), "table.json.gz"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (candidate, space, npz, journal, record, table)
}
