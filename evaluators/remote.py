"""The member store of many hosts: any place that fsspec can reach, by its URL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from evaluators.cache import Entry, Store, default_place, default_root
from evaluators.leases import Lease
from space.errors import UserError
from space.shown import SECRET, without_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

EXPIRY = 60.0
"""Seconds after which a host that gave no sign is taken for dead, and what it trained is trained by another."""

NEAR = ("file", "local", "memory")
"""Protocols where a file is seen at once, and where one that exists is not created again."""

OBJECTS = ("s3", "gs", "abfs")
"""Protocols of places without folders: asked for one, they would make the bucket that a slip of the pen named."""

CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict")
"""What S3 says where an object is there already, or is being made by another at this moment."""


class Bucket:
    """Files under a URL; see `leases.Files`."""

    def __init__(self, files: AbstractFileSystem, root: str) -> None:
        self._files, self._root = files, root.rstrip("/")
        self.near = bool({*_protocols(files)} & {*NEAR})
        self._folders = not {*_protocols(files)} & {*OBJECTS}

    def exists(self, name: str) -> bool:
        """Whether there is a file."""
        return bool(self._files.exists(self._fresh(name)))

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        try:
            return bytes(self._files.cat_file(self._fresh(name)))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Make or replace a file: stores of objects do that at once, and folders by another name."""
        path = self._path(name)
        if not self.near:
            self._files.pipe_file(path, content)
            return
        part = f"{path}.{uuid4().hex}.tmp"
        self._files.pipe_file(part, content)
        self._files.mv(part, path)

    def create(self, name: str, content: bytes) -> bool:
        """Make a file that is not there; False where it is."""
        path = self._path(name)
        try:
            if self.near:
                with self._files.open(path, "xb") as file:
                    file.write(content)
            else:
                self._files.pipe_file(path, content, mode="create")
        except OSError as error:
            if not _is_there(error):
                raise
            return False
        return True

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def make_folder(self, name: str) -> None:
        """Make a folder where the place knows such."""
        if self._folders:
            self._files.makedirs(self._path(name), exist_ok=True)

    def _fresh(self, name: str) -> str:
        """A file's path, when whatever is remembered of its folder is forgotten: another host may have written."""
        path = self._path(name)
        self._files.invalidate_cache(path)
        return path

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


class RemoteStore(Store):
    """Entries under a URL, as in a folder; what is missing is made under a lease, by one host at a time.

    The JSON file is written last and makes the entry. What two hosts made at once, because one was taken for dead, is
    alike; should it not be, the checksum tells, and it is made again.

    Args:
        url: e.g. s3://bucket/members; what else it takes to get there is in the environment.
        expiry: see EXPIRY.
    """

    def __init__(self, url: str, expiry: float = EXPIRY) -> None:
        self.root = Path(url)
        self._url, self._expiry = url, expiry
        self._known: set[str] = set()
        self._locked: dict[str, threading.RLock] = {}
        self._depth: dict[str, int] = {}
        self._bucket = _opened(url)

    def holds(self, key: str) -> bool:
        """Whether there is an entry; what was there once is not asked for again."""
        if key not in self._known and self._has(self._names(key)[1]):
            self._known.add(key)
        return key in self._known

    def load(self, key: str) -> Entry | None:
        """Read an entry: None if there is none, or (with a DamagedEntry warning) if it is damaged."""
        return super().load(key) if self.holds(key) else None

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Have the lease of an entry that is not there; may be nested within a thread. What is there needs none."""
        mutex = self._locked.setdefault(self._names(key)[0], threading.RLock())
        with mutex:
            outer = self._depth.get(key, 0)
            lease = None if outer else self._leased(key)
            self._depth[key] = outer + 1
            try:
                yield
            finally:
                self._depth[key] = outer
                if lease is not None:
                    with _telling(self._url):
                        lease.release()

    def _leased(self, key: str) -> Lease | None:
        far = min(1.0, self._expiry / 4)
        poll, settle = (0.02, 0.0) if self._bucket.near else (far, far)
        lease = Lease(self._bucket, f"locks/{key}.lease", expiry=self._expiry, poll=poll, settle=settle)
        with _telling(self._url):
            return lease if lease.acquire(lambda: self.holds(key)) else None

    def _has(self, name: str) -> bool:
        with _telling(self._url):
            return self._bucket.exists(name)

    def _read(self, name: str) -> bytes:
        with _telling(self._url):
            content = self._bucket.read(name)
        if content is None:
            raise ValueError(f"{name} is missing")
        return content

    def _write(self, name: str, content: bytes) -> None:
        with _telling(self._url):
            self._bucket.write(name, content)


def open_store(cache: Path | str | None) -> Store:
    """The store in a folder or under a URL; the user's own where left out. UserError where it can't be written."""
    place = default_place() if cache is None else str(cache)
    if "://" in place:
        return RemoteStore(place)
    return Store(default_root() if cache is None else Path(cache))


def _opened(url: str) -> Bucket:
    """The files under a URL, after one was written there."""
    try:
        from fsspec.core import url_to_fs

        files, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        expected = "a folder, or a URL that fsspec knows"
        raise UserError("--cache", got=masked(url), expected=expected, hint=_without_login(str(error), url)) from error
    bucket, probe = Bucket(files, root), f"locks/{uuid4().hex}.probe"
    with _telling(url):
        bucket.make_folder("locks")
        bucket.write(probe, b"")
        bucket.remove(probe)
    return bucket


def masked(url: str) -> str:
    """The URL without whatever comes before an @: keys and passwords."""
    kind, _, rest = url.partition("://")
    return f"{kind}://***@{rest.rpartition('@')[2]}" if "@" in rest else url


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """Turn what a place that can't be reached raises into one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        hint = _without_login(f"{type(error).__name__}: {error}", url)
        raise UserError("the cache cannot be reached", got=masked(url), hint=hint) from error


def _without_login(text: str, url: str) -> str:
    """One short line that tells nothing of what comes before the @ of a URL."""
    login = url.partition("://")[2].rpartition("@")[0]
    return without_secrets(text.replace(login, SECRET) if login else text, url)[:160]


def _is_there(error: OSError) -> bool:
    """Whether a file was not created because there is one: servers differ in how much of a conflict they tell."""
    response = getattr(error.__cause__, "response", {})
    return isinstance(error, FileExistsError) or response.get("Error", {}).get("Code") in CONFLICTS


def _protocols(files: AbstractFileSystem) -> tuple[str, ...]:
    kind = files.protocol
    return (kind,) if isinstance(kind, str) else tuple(kind)
