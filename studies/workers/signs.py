"""Signs of life: a file that is locked for as long as its process lives, however that ends."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import uuid4

from filelock import FileLock, Timeout

Life = Literal["alive", "left", "died"]

ATTEMPTS = 10

BOOT = Path("/proc/sys/kernel/random/boot_id")


class Sign:
    """This worker's sign of life, and a look at those of others in the same folder.

    The file goes when a worker leaves, and stays, unlocked, when it is killed. Neither process numbers nor clocks are
    looked at, so containers may share a folder, and a machine may be started anew.

    Attributes:
        name: of this worker.
        place: of the folder: machine (since it was started), device and inode.

    Args:
        folder: is made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.name = folder, uuid4().hex
        self._lock = FileLock(self._path(self.name), thread_local=False)
        for attempt in range(ATTEMPTS):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._lock.acquire()
                break
            except FileNotFoundError:  # the last worker there has just taken the folder away
                if attempt + 1 == ATTEMPTS:
                    raise
        stat = folder.stat()
        self.place = f"{_boot()}:{stat.st_dev}:{stat.st_ino}"

    def look(self, worker: str) -> Life:
        """What became of the worker of this name, whose folder is the same."""
        path = self._path(worker)
        if not path.exists():
            return "left"
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return "alive"
        lock.release()
        return "died"

    def forget(self, worker: str) -> None:
        """Take away what a dead worker left."""
        self._path(worker).unlink(missing_ok=True)

    def leave(self) -> None:
        """Take the own file away; the folder too, where nobody else needs it."""
        self.forget(self.name)
        self._lock.release()
        with suppress(OSError):
            self._folder.rmdir()

    def _path(self, worker: str) -> Path:
        return self._folder / f"{worker}.alive"


def _boot() -> str:
    return BOOT.read_text().strip() if BOOT.is_file() else str(os.getpid())
