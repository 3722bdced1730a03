"""Trained members on disk by content key: tensors without pickle, checksums verified on every read."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from filelock import FileLock
from safetensors import SafetensorError
from torch import Tensor

from evaluators.homes import expanded
from space.errors import Damage, OutOfSpace, UserError

Tensors = dict[str, Tensor]

DAMAGE = (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError)
"""What reading a damaged entry may raise."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How the system says that a disk is full, or a file as long as it may be."""

_DAY = 86_400.0


class DamagedEntry(Damage):
    """An entry of the cache does not match its checksum or lacks a file; it counts as absent."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """What was saved under a key.

    Attributes:
        tensors: by name, on the CPU.
        meta: anything JSON can hold.
    """

    tensors: Tensors
    meta: dict[str, Any]


def default_place() -> str:
    """Where trained members are kept unless somebody says otherwise: a folder, or the URL in $BITFRONT_CACHE."""
    own = os.environ.get("BITFRONT_CACHE", "")
    return own if "://" in own else str(default_root())


def default_root() -> Path:
    """Find the user's cache folder: $BITFRONT_CACHE, else bitfront in $XDG_CACHE_HOME, else in ~/.cache.

    Raises: UserError where that starts at the home of nobody.
    """
    if (own := os.environ.get("BITFRONT_CACHE")) and "://" not in own:
        return expanded(Path(own))
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expanded(Path(shared), "set HOME, or BITFRONT_CACHE to a folder") / "bitfront"


class Store:
    """Entries in a folder: KEY.safetensors holds tensors; KEY.json their sha256, the meta data and its own.

    The JSON file is written last and makes the entry. Both are written under another name, flushed to disk
    and renamed, so that a reader sees an old or a new file but never half of one.
    """

    def __init__(self, root: Path) -> None:
        """Open a folder, creating it if need be; raises UserError if nothing can be written there."""
        self.root = root
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            self._sweep()
            with tempfile.TemporaryFile(dir=root):
                pass
        except OSError as error:
            raise _unwritable(root, error) from error

    def holds(self, key: str) -> bool:
        """Whether there is an entry; it may turn out to be damaged when it is read."""
        return all(self._has(name) for name in self._names(key))

    def load(self, key: str) -> Entry | None:
        """Read an entry: None if there is none, or (with a DamagedEntry warning) if it is damaged or half.

        Hold `lock(key)` to be sure not to look between the two renames of a writer.
        """
        names = self._names(key)
        if not any(map(self._has, names)):
            return None
        try:
            return _parse(key, *map(self._read, names))
        except DAMAGE as error:
            warnings.warn(f"cache entry {key} is damaged and ignored: {error!r}", DamagedEntry, stacklevel=2)
            return None

    def save(self, key: str, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> Entry:
        """Write an entry, replacing what was there.

        Args:
            key: 8 to 64 lower-case hex digits.
            tensors: any device, shape and memory layout; they come back contiguous and on the CPU.
            meta: what JSON can hold (tuples come back as lists); NaN and infinity raise ValueError.
        Returns: a copy, as later reads will give it.
        Raises: UserError if the disk refuses.
        """
        content = safetensors.torch.save({name: _plain(tensor) for name, tensor in tensors.items()})
        described = _describe(key, sha256(content).hexdigest(), meta)
        try:
            for name, data in zip(self._names(key), (content, described), strict=True):
                try:
                    self._write(name, data)
                except FileNotFoundError:  # swept away by a process whose clock is days ahead
                    self._write(name, data)
        except OSError as error:
            raise _unwritable(self.root, error) from error
        return _parse(key, content, described)

    def fetch(self, key: str, make: Callable[[], tuple[Mapping[str, Tensor], Mapping[str, Any]]]) -> Entry:
        """Read an entry, or make and save its (tensors, meta); whoever asks meanwhile waits and reads it."""
        with self.lock(key):
            return self.load(key) or self.save(key, *make())

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Keep other processes and threads that lock the same key waiting; may be nested within a thread."""
        self._names(key)
        with FileLock(self._locks / f"{key}.lock", is_singleton=True):
            yield

    @property
    def _locks(self) -> Path:
        return self.root / "locks"

    def _names(self, key: str) -> tuple[str, str]:
        """The files of an entry, in the order in which they are written."""
        if not re.fullmatch(r"[0-9a-f]{8,64}", key):
            raise ValueError(f"a key is 8 to 64 lower-case hex digits, not {key!r}")
        return f"{key}.safetensors", f"{key}.json"

    def _has(self, name: str) -> bool:
        return (self.root / name).is_file()

    def _read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def _write(self, name: str, content: bytes) -> None:
        _write(self.root / name, content)

    def _sweep(self) -> None:
        for left in self.root.glob("*.tmp"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _DAY:
                    left.unlink()


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode()


def _describe(key: str, digest: str, meta: Mapping[str, Any]) -> bytes:
    body = {"key": key, "meta": dict(meta), "tensors_sha256": digest}
    return _canonical({**body, "sha256": sha256(_canonical(body)).hexdigest()})


def _parse(key: str, content: bytes, described: bytes) -> Entry:
    """Raise ValueError unless the description is, byte for byte, the one of this key and these tensors."""
    meta = json.loads(described)["meta"]
    if described != _describe(key, sha256(content).hexdigest(), meta):
        raise ValueError("its checksum does not match")
    return Entry(tensors=safetensors.torch.load(content), meta=meta)


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _unwritable(root: Path, error: OSError) -> UserError:
    hint = "choose another folder with --cache or BITFRONT_CACHE"
    kind = OutOfSpace if error.errno in FULL else UserError
    return kind(f"the cache cannot be written ({error.strerror})", got=str(root), hint=hint)
