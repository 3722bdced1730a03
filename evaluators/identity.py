"""Which trained network: its address in the store, and what its weights are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Identity:
    """Which trained member.

    Attributes:
        key: its address in the store: what it was trained as, by which code.
        weights: sha256 of everything that was learnt, before any mapping; None where it was not trained.
    """

    key: str
    weights: str | None


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """The sha256 of named tensors, on any device: of names, types, shapes and every bit of the values."""
    import torch

    digest = sha256()
    for name in sorted(tensors):
        plain = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
