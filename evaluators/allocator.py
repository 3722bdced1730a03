"""Memory that training frees and asks for again at once."""

import ctypes
import platform
from functools import cache

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # names of glibc's mallopt(3)
LARGEST_KEPT = 2**25
"""Bytes; glibc honours no higher threshold."""
MOST_KEPT = 2**30
"""Bytes of freed memory that stay with the process."""


@cache
def keep_freed_memory() -> bool:
    """Stop glibc from handing every freed activation back to the system and faulting it in again.

    A step of ResNet-20 takes up to 29 % less time, of MNISTconv 7 % (benchmarks/number_formats.py).
    Returns: whether this process has such an allocator.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_MMAP_THRESHOLD, LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, MOST_KEPT))
