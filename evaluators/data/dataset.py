"""Data sets as whole tensors on the device, split by seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluators.data.arrays import Labels, Part, Source
from evaluators.data.sources import open_source
from evaluators.data.splits import TEST_SHARE, VALIDATION_LIMIT, VALIDATION_SHARE, divide, mixed
from evaluators.seeds import stream

Indices = NDArray[np.int64]

CHUNK = 1024
"""Images that are copied at once."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images and labels; any prefix holds the classes in nearly their proportions.

    Attributes:
        images: N×C×H×W, uint8, C 1 or 3.
        labels: N, int64, 0 to classes - 1, on the same device.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def head(self, n: int) -> Split:
        """Keep the first `n` images, or all if `n` is 0 (as in a budget) or more than there are."""
        return Split(self.images[:n], self.labels[:n]) if 0 < n < len(self) else self


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSet:
    """A data set on one device.

    Attributes:
        name: as the user gave it.
        checksum: identity of the images and labels, whatever their name and the seed; 16 hex digits.
        classes: number of classes, >= 2.
        shape: channels (1 or 3), height and width of an image.
        train: what members are trained on.
        validation: what the search measures on: 20 % of the training images, at most 10,000.
        test: what the search never sees: the source's own test set, where it has one; the same for every seed then.
    """

    name: str
    checksum: str
    classes: int
    shape: tuple[int, int, int]
    train: Split
    validation: Split
    test: Split


def load(
    name_or_path: str,
    *,
    root: Path | None = None,
    download: bool = False,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> DataSet:
    """Read a data set and move it to the device as a whole.

    Args:
        name_or_path: a built-in set (`sources.SOURCES`), or the user's own images (`sources.FORMS`).
        root: folder that holds the torchvision sets.
        download: whether torchvision may fetch a set that is not there.
        seed: of the splits; they are the same on every device.
        device: where the images go.
    Raises: UserError (UnknownName for a name) with what is wrong with the data.
    """
    source = open_source(name_or_path, root=root, download=download)
    train, validation, test = _divide(source, seed)
    height, width, channels = source.train.images.shape[1:]
    return DataSet(
        name=name_or_path,
        checksum=source.checksum(),
        classes=source.classes,
        shape=(channels, height, width),
        train=_to_device(source.train, train, device),
        validation=_to_device(source.train, validation, device),
        test=_to_device(source.test or source.train, test, device),
    )


def _divide(source: Source, seed: int) -> tuple[Indices, Indices, Indices]:
    """Say which images are for training, validation and testing; nothing is copied, they may fill half the memory."""
    rest, labels = np.arange(len(source.train.labels)), source.train.labels
    if source.test:
        test = mixed(torch.from_numpy(source.test.labels), stream(0, "split", "test order")).numpy()
    else:
        test, rest = _shares(labels, rest, stream(seed, "split", "test"), TEST_SHARE)
    validation, train = _shares(labels, rest, stream(seed, "split", "validation"), VALIDATION_SHARE, VALIDATION_LIMIT)
    return train, validation, test


def _shares(
    labels: Labels, among: Indices, generator: torch.Generator, share: float, limit: int | None = None
) -> tuple[Indices, Indices]:
    held, rest = divide(torch.from_numpy(labels[among]), generator, share, limit)
    return among[held.numpy()], among[rest.numpy()]


def _to_device(part: Part, indices: Indices, device: str | torch.device) -> Split:
    """Copy the images at `indices`, a few at a time: they are moved, and their channels put first, only once."""
    height, width, channels = part.images.shape[1:]
    images = torch.empty((len(indices), channels, height, width), dtype=torch.uint8, device=device)
    for start in range(0, len(indices), CHUNK):
        some = part.take(indices[start : start + CHUNK]).images
        images[start : start + CHUNK] = torch.from_numpy(some).permute(0, 3, 1, 2)
    return Split(images, torch.from_numpy(part.labels[indices]).to(device))
