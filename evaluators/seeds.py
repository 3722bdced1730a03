"""Randomness derived from names: the same on any worker, after any resume, in any order."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import torch


def number(seed: int, *names: str) -> int:
    """Derive a number from a seed and names: the first 63 bits of sha256("seed/name/name").

    Args:
        seed: any integer.
        names: any text; a "/" inside a name is escaped, so ("a/b",) and ("a", "b") differ.
    Returns: 0 to 2**63 - 1.
    """
    text = "/".join([str(int(seed)), *(quote(name, safe="", errors="surrogatepass") for name in names)])
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *names: str, device: str | torch.device = "cpu") -> torch.Generator:
    """Open a fresh random generator on `device`, seeded with `number(seed, *names)`."""
    import torch

    return torch.Generator(device).manual_seed(number(seed, *names))
