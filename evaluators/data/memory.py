"""Whether images fit into memory, asked before they are read."""

import math
import os
from pathlib import Path

from space.errors import UserError

COPIES = 2
"""How often the images are held at most: as they were read, and divided into splits."""

MEMINFO = Path("/proc/meminfo")
"""Linux's account of memory; what it calls available counts the file cache, which `os.sysconf` calls used."""

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container says how much it may use; a number of bytes, or words for "no limit"."""


def check_memory(shape: tuple[int, int, int, int]) -> None:
    """Raise UserError if images of `shape` (N, H, W, C; a byte each) would not fit twice into the memory available."""
    needed, (n, height, width, _) = COPIES * math.prod(shape), shape
    got = f"{n} of {width}x{height}: {needed / 1e9:.1f} GB while they are divided into splits"
    check_bytes(needed, got, "take fewer images, or a smaller SIZE in folder:PATH@SIZE")


def check_bytes(needed: int, got: str, hint: str) -> None:
    """Raise UserError unless so many bytes are available; `got` tells of what."""
    available = available_memory()
    if needed > available:
        expected = f"at most {available / 1e9:.1f} GB, what is available"
        raise UserError("images too large for the memory", got=got, expected=expected, hint=hint)


def available_memory() -> int:
    """Bytes that can be had without swapping; all that the machine has where the system does not say."""
    return min([_machine(), *(int(text) for text in map(_text, LIMITS) if text.isdecimal())])


def _machine() -> int:
    for line in _text(MEMINFO).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
