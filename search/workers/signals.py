"""A worker that a run has started ends with it."""

import os
import signal
import threading
import time

DRIVER = "BITFRONT_DRIVER"
"""Environment variable of a worker that a run has started: the number of that process."""


def end_with_driver() -> None:
    """End this process soon after the one that started it is gone, however that ended."""
    if driver := os.environ.get(DRIVER):
        threading.Thread(target=_outlive, args=(int(driver),), daemon=True).start()


def _outlive(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
