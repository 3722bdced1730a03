"""Where a study lives: a folder with Optuna's journal (or a pointer to a database) and a lock."""

import json
import os
import shlex
import tempfile
import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from filelock import FileLock, Timeout
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, RDBStorage

from evaluators.objectives import Objective
from space.errors import UserError, unwritable
from space.shown import masked, without_secrets
from studies.storage.files import write_text
from studies.storage.journal import DamagedLine, Journal, repair
from studies.storage.optuna_storages import DatabaseTrials, JournalTrials
from studies.storage.patience import patient
from studies.storage.shown import axis_names
from studies.trial import one_line

JOURNAL, LOCK, POINTER, SIGNS = "journal.log", "study.lock", "storage.json", ".workers"
SUMMARY = "study.json"
"""What a run leaves of all its records; see `studies.outputs`."""

HEADER = "bitfront"
"""User attribute of the Optuna study that holds what is fixed when it is created."""

STOP = "stop"
"""User attribute of the Optuna study that says when its latest run ends, for the workers that join."""

FOLDER = "folder"
"""User attribute of the Optuna study that holds the name of its folder, for those who can't see it."""

BEAT, GRACE = 20, 90
"""Seconds between two heartbeats of a trial in a database, and after which one without is nobody's."""


@dataclass(frozen=True)
class Place:
    """Where the trials of a folder are kept.

    Attributes:
        folder: of the study.
        url: of a database, or None for the journal in the folder.
        name: of the Optuna study.
    """

    folder: Path
    url: str | None = None
    name: str = "bitfront"

    @property
    def journal(self) -> Path:
        """The journal's file, if there is no database."""
        return self.folder / JOURNAL

    @property
    def served(self) -> bool:
        """Whether a server keeps the trials, for workers on any host."""
        return self.url is not None and not self.url.startswith("sqlite")

    @property
    def begun(self) -> bool:
        """Whether there is a file, or a server, to look into: SQLite makes the file of any URL that it opens."""
        if self.url is None:
            return self.journal.is_file()
        dialect, found, file = self.url.partition(":///")
        plain = dialect.startswith("sqlite") and found and file and not file.startswith((":memory:", "file:"))
        path = Path(file.partition("?")[0])
        return not plain or path.exists() or not path.parent.is_dir()  # which SQLite itself complains of

    @property
    def signs(self) -> Path:
        """Where the workers of one host show each other that they live."""
        return Path(tempfile.gettempdir()) / f"bitfront-{os.getuid()}" if self.served else self.folder / SIGNS

    def check_shared(self) -> None:
        """Raise UserError unless several workers may write there at once."""
        if self.url is not None and not self.url.startswith("postgresql"):
            reason = "SQLite locks the whole file for each write, and loses writes on network file systems"
            raise UserError(
                "several workers in one study",
                got=masked(self.url),
                expected="the study's own journal (no --storage), or a postgresql:// URL",
                hint=reason if not self.served else "only PostgreSQL lets workers take turns",
            )


def locate(folder: Path, url: str | None) -> Place:
    """Find where a folder keeps its trials, or would if it held any.

    Raises UserError when the folder keeps them elsewhere than `url` says.
    """
    pointer = folder / POINTER
    if pointer.is_file():
        known = _pointed(pointer)
        if url not in (None, known["url"]):
            raise UserError("another storage", got=url, expected=masked(known["url"]))
        return Place(folder, known["url"], known["name"])
    if url is None:
        return Place(folder)
    if (folder / JOURNAL).exists():
        raise UserError("another storage", got=url, expected=f"none: {folder} keeps its own journal")
    return Place(folder, url, f"bitfront-{uuid4().hex[:12]}")


def _pointed(pointer: Path) -> dict[str, str]:
    """What a pointer says; UserError for a damaged one."""
    try:
        known = json.loads(pointer.read_text(encoding="utf-8"))
        return {"url": str(known["url"]), "name": str(known["name"])}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        expected = "the URL and the name of a study in a database"
        raise UserError("damaged file", got=str(pointer), expected=expected, hint="take it from a backup") from error


def reach(folder: Path, url: str | None) -> Place:
    """Find where the study of a folder is, or, on a host that can't see the folder, the database's study of that name.

    Raises UserError as `locate`, and where the database has several of that name.
    """
    if url is None or folder.is_dir():
        return locate(folder, url)
    place = Place(folder, url)
    if not place.begun:
        return place
    quiet()
    with _readable(place):
        storage = _connect(place)
        studies = [one for one in storage.get_all_studies() if HEADER in one.user_attrs]
    named = [one.study_name for one in studies if folder.name in (one.study_name, one.user_attrs.get(FOLDER))]
    if len(named) > 1:
        raise UserError("several studies of this name", got=folder.name, expected="one of " + ", ".join(sorted(named)))
    return Place(folder, url, named[0]) if named else place


def find_study(place: Place) -> optuna.Study | None:
    """Open the study at a place for reading; None where there is none, or only the start of one.

    Raises UserError when it is damaged, the database does not answer, or the journal is another program's: Optuna's
    own examples give theirs the same name, and a new study would take its place.
    """
    if not place.begun:
        return None
    quiet()
    with _readable(place):
        storage = _connect(place)
        known = [one.study_name for one in storage.get_all_studies()]
        if place.name not in known:
            if known and place.url is None:
                expected, hint = "the journal of a run", "it holds other studies of Optuna; choose another --out"
                raise UserError("another program's journal", got=str(place.journal), expected=expected, hint=hint)
            return None
        study = optuna.load_study(study_name=place.name, storage=storage)
        return study if HEADER in study.user_attrs else None


def create_study(place: Place, objectives: Sequence[Objective], header: dict[str, Any]) -> optuna.Study:
    """Create the study at a place where there is none. Under the folder's lock.

    What a creation that was interrupted left behind is replaced; the header is written last and at once, so
    that a study with a header is whole.
    """
    quiet()
    if place.url is not None:
        write_text(place.folder / POINTER, json.dumps({"url": place.url, "name": place.name}), private=True)
    else:
        place.journal.unlink(missing_ok=True)
    with _readable(place):
        storage = _connect(place)
        with suppress(KeyError):
            optuna.delete_study(study_name=place.name, storage=storage)
        directions = [objective.direction for objective in objectives]
        study = optuna.create_study(study_name=place.name, storage=storage, directions=directions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # names for dashboards; nothing here reads them
        study.set_metric_names(axis_names(objectives))
    study.set_user_attr(FOLDER, place.folder.absolute().name)
    study.set_user_attr(HEADER, header)
    return study


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one running process; the lock ends with the process, however it ends.

    A journal whose last writer was killed is repaired. Raises UserError if another process holds the folder.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        hint = "wait until it ends, or choose another --out"
        raise UserError("another run is writing here", got=str(folder), hint=hint) from None
    try:
        if (journal := folder / JOURNAL).is_file():
            repair(journal)
        yield
    finally:
        lock.release()


def check_new(folder: Path) -> None:
    """Raise UserError where a study left its files: without its trials, a new one would write over its records."""
    if (folder / SUMMARY).exists():
        hint = "take them from a backup, or choose another --out"
        raise UserError("study without its trials", got=str(folder), expected=f"{JOURNAL} or {POINTER}", hint=hint)


def check_writable(folder: Path) -> None:
    """Raise UserError unless files can be written to the folder, or to the one it would be made in."""
    home = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.is_symlink())
    try:
        with tempfile.TemporaryFile(dir=home):
            return
    except OSError as error:
        raise unwritable(folder, error) from error


def quiet() -> None:
    """Keep Optuna's progress lines off stderr; its warnings stay."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _connect(place: Place) -> BaseStorage:
    if place.url is None:
        return JournalTrials(Journal(str(place.journal)))
    return DatabaseTrials(_database(place.url) if place.served else RDBStorage(place.url))


def _database(url: str) -> RDBStorage:
    """A server's storage with heartbeats; a connection is tried before it is used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # so heartbeats have been called since 2021
        storage = RDBStorage(url, {"pool_pre_ping": True}, heartbeat_interval=BEAT, grace_period=GRACE)
    weakref.finalize(storage, storage.engine.dispose)
    return patient(storage)


@contextmanager
def _readable(place: Place) -> Iterator[None]:
    """Turn what Optuna and its database raise into one line for the user."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise unwritable(place.folder, error) from error
    except DamagedLine as error:
        raise damaged(place.journal, error) from error
    except Exception as error:
        if place.url is not None:
            expected = "a database that Optuna can open"
            hint = without_secrets(f"{type(error).__name__}: {error}", place.url)[:160]
            raise UserError("storage", got=place.url, expected=expected, hint=hint) from error
        hint = f"{_brief(error)}; choose another --out"
        raise UserError("damaged journal", got=str(place.journal), hint=hint) from error


def damaged(journal: Path, error: DamagedLine) -> UserError:
    """Name the damaged line, and say what can be done: what stands before it, if anything, is sound."""
    line = int(str(error).split()[1])
    hint = "take the file from a backup"
    if line > 1:
        hint += f", or keep what is before: sed -i '{line},$d' {shlex.quote(str(journal))}"
    return UserError(f"damaged journal, {error}", got=str(journal), hint=hint)


def _brief(error: Exception) -> str:
    return one_line(error)[:160]
