"""Data sets as whole tensors on the device, split by seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from evaluators.data.arrays import Part, Source
from evaluators.data.sources import open_source
from evaluators.data.splits import TEST_SHARE, VALIDATION_LIMIT, VALIDATION_SHARE, divide
from evaluators.seeds import stream


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
        test: what the search never sees: the source's own test set, where it has one.
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
    rest, test = _test_split(source, seed)
    validation, train = _shares(rest, seed, "validation", VALIDATION_SHARE, VALIDATION_LIMIT)
    height, width, channels = rest.images.shape[1:]
    return DataSet(
        name=name_or_path,
        checksum=source.checksum(),
        classes=source.classes,
        shape=(channels, height, width),
        train=_to_device(train, device),
        validation=_to_device(validation, device),
        test=_to_device(test, device),
    )


def _test_split(source: Source, seed: int) -> tuple[Part, Part]:
    if source.test:
        return source.train, source.test
    test, rest = _shares(source.train, seed, "test", TEST_SHARE)
    return rest, test


def _shares(part: Part, seed: int, purpose: str, share: float, limit: int | None = None) -> tuple[Part, Part]:
    held, rest = divide(torch.from_numpy(part.labels), stream(seed, "split", purpose), share, limit)
    return part.take(held.numpy()), part.take(rest.numpy())


def _to_device(part: Part, device: str | torch.device) -> Split:
    images = torch.from_numpy(part.images).to(device).permute(0, 3, 1, 2).contiguous()
    return Split(images, torch.from_numpy(part.labels).to(device))
