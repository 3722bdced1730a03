"""Leases: who makes an entry that several hosts want, where no lock of a file system reaches them all."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol
from uuid import uuid4


class Files(Protocol):
    """Small files that all hosts see; whole contents are read and written."""

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Make or replace a file, at once."""

    def create(self, name: str, content: bytes) -> bool:
        """Make a file that is not there; False where it is."""

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""


class Lease:
    """The right to make one entry, as long as its holder goes on renewing it.

    A holder writes another number into the lease's file, again and again. One whose file has not changed for `expiry`
    seconds by the clock of who looks is gone, and another takes its place: clocks of hosts are not compared. Where the
    files can't be created exclusively, two may take it within the same moment: then the last one to write has it, and
    the other sees that after `settle` seconds.

    Args:
        files: that all hosts see.
        name: of the lease's file.
        expiry: seconds without a sign of its holder after which a lease is free.
        poll: seconds between two looks at it.
        settle: seconds after which a file is sure to be seen by all.
    """

    def __init__(self, files: Files, name: str, *, expiry: float, poll: float, settle: float) -> None:
        self._files, self._name = files, name
        self._expiry, self._poll, self._settle = expiry, poll, settle
        self._me, self._beat = uuid4().hex, 0
        self._over = threading.Event()
        self._renewing: threading.Thread | None = None

    def acquire(self, needless: Callable[[], bool]) -> bool:
        """Wait for the lease; False, and not held, as soon as it is needless."""
        seen, since = b"", time.monotonic()
        while not needless():
            content = self._files.read(self._name)
            if content is None:
                if self._take():
                    return True
            elif content != seen:
                seen, since = content, time.monotonic()
            elif time.monotonic() - since > self._expiry:
                self._files.remove(self._name)
                continue
            time.sleep(self._poll)
        return False

    def release(self) -> None:
        """Give it back, unless another has taken it as expired."""
        self._over.set()
        if self._renewing is not None:
            self._renewing.join()
        if self._is_mine():
            self._files.remove(self._name)

    def _take(self) -> bool:
        if not self._files.create(self._name, self._content()):
            return False
        time.sleep(self._settle)
        if not self._is_mine():
            return False
        self._renewing = threading.Thread(target=self._renew, daemon=True)
        self._renewing.start()
        return True

    def _renew(self) -> None:
        while not self._over.wait(self._expiry / 4):
            with suppress(Exception):  # a place that is away for a moment; the next beat comes well before the expiry
                if not self._is_mine():
                    return  # what is made twice is made alike
                self._beat += 1
                self._files.write(self._name, self._content())

    def _is_mine(self) -> bool:
        return (self._files.read(self._name) or b"").startswith(self._me.encode())

    def _content(self) -> bytes:
        return f"{self._me} {self._beat}".encode()
