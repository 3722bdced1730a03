"""Ways in which a process is asked to stop, all turned into one."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

DRIVER = "BITFRONT_DRIVER"
"""Environment variable of a worker that a run has started: the number of that process."""


@contextmanager
def ending_on_request() -> Iterator[None]:
    """Let SIGTERM end what is done here as Ctrl-C does: with everything finished kept."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_with_driver() -> None:
    """End this process soon after the one that started it is gone, however that ended."""
    if driver := os.environ.get(DRIVER):
        threading.Thread(target=_outlive, args=(int(driver),), daemon=True).start()


def _outlive(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
