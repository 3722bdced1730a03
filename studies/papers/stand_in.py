"""Digits in the shape of CIFAR images, where a trial run is to need no download."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LABEL = "STAND-IN DATA: bundled digits as 3×32×32 images, not the paper's images; figures compare with nothing"
IMAGES = {"train": 400, "test": 100}
"""How many digits it takes."""

SIDE = 32


def write_stand_in(path: Path) -> Path:
    """Write the first bundled digits as an npz file of colour images: grey in three channels, black around.

    Raises: OSError.
    """
    from evaluators.data import load

    digits = load("mnist5k")
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, count in IMAGES.items():
        part = getattr(digits, name).head(count)
        arrays[f"x_{name}"] = as_colour(part.images.numpy())
        arrays[f"y_{name}"] = part.labels.numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    return partial.replace(path)


def as_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """N×1×H×W to N×32×32×3, the image in the middle; H and W <= 32, even."""
    margins = [(SIDE - size) // 2 for size in images.shape[2:]]
    padded = np.pad(images[:, 0], [(0, 0), *((margin, margin) for margin in margins)])
    return np.repeat(padded[..., None], 3, axis=3)
