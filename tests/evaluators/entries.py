"""An entry of a cache, and what tests of caches look at it with."""

import subprocess
import sys

import torch
from torch import Tensor

from evaluators.cache import Store

KEY = "0123456789abcdef"
TENSORS = {"weight": torch.linspace(-1, 1, 12).reshape(3, 4), "steps": torch.tensor(7)}
META = {"member": "mbn3x1", "epochs": 4, "loss": 0.25}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Equal names, shapes, types and bits (so that NaN equals itself, and 0.0 differs from -0.0)."""

    def bits(tensor: Tensor) -> tuple[object, ...]:
        plain = tensor.detach().contiguous().reshape(-1)
        return tensor.dtype, tensor.shape, bytes(plain.view(torch.uint8).tolist() if plain.numel() else [])

    return {name: bits(tensor) for name, tensor in left.items()} == {name: bits(t) for name, t in right.items()}


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.iterdir() if path.is_file())


def run(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True)
