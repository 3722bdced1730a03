"""The arrays that a source of images gives, what must be true of them, and what identifies them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from space.errors import UserError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Images with their labels.

    Attributes:
        images: N×H×W×C, uint8, C 1 (grey) or 3 (red, green, blue).
        labels: N, int64; other integers become so.

    Raises UserError for arrays of another type or shape: pixels from 0 to 1 would all count as black.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        images, labels = np.asarray(self.images), np.asarray(self.labels)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            expected, hint = "uint8, N×H×W×1 or N×H×W×3", "scale pixels to 0 to 255, then .astype('uint8')"
            raise UserError("images of a data set", got=_kind(images), expected=expected, hint=hint)
        if labels.dtype.kind not in "iu" or labels.ndim != 1:
            raise UserError("labels of a data set", got=_kind(labels), expected="integers, one per image")
        object.__setattr__(self, "labels", labels.astype(np.int64, copy=False))

    def take(self, indices: NDArray[np.int64]) -> Part:
        """Copy the images and labels at `indices`, in that order."""
        return Part(images=self.images[indices], labels=self.labels[indices])


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """All that a source gives: its training set, and its test set if it has one of its own.

    Raises UserError unless the labels are 0 to K - 1 for K >= 2 classes, every class has at least two
    training images (three where the test set has to come from them), and the test set shows known classes
    in the same size.
    """

    train: Part
    test: Part | None

    def __post_init__(self) -> None:
        _check_part("training", self.train)
        _check_classes(self.train.labels, least=fewest(has_test=self.test is not None))
        if self.test:
            _check_part("test", self.test)
            _check_test(self.train, self.test)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.train.labels.max()) + 1

    def checksum(self) -> str:
        """Identify the images and labels, whatever they are called: 16 hex digits of a sha256.

        Grey images as N×H×W or N×H×W×1, and labels in any integer type, are the same data.
        """
        digest = sha256()
        for part in (self.train, self.test):
            digest.update(str(part.images.shape if part else None).encode())
            if part:
                digest.update(np.ascontiguousarray(part.images).data)
                digest.update(np.ascontiguousarray(part.labels, dtype="<i8").data)
        return digest.hexdigest()[:16]


def fewest(*, has_test: bool) -> int:
    """Training images that each class needs, so that every split gets one."""
    return 2 if has_test else 3


def _kind(array: NDArray[Any]) -> str:
    return f"{array.dtype}, {'×'.join(map(str, array.shape))}"


def _check_part(which: str, part: Part) -> None:
    images, labels = len(part.images), len(part.labels)
    if images != labels:
        what = f"{which} images and labels differ in number"
        raise UserError(what, got=(images, labels), expected="one label per image")
    if part.images.size == 0:
        shape = part.images.shape
        raise UserError(f"the {which} set is empty", got=shape, expected="at least one image of one pixel")
    if part.labels.min() < 0:
        low = part.labels.min()
        raise UserError(f"negative {which} label", got=low, expected="classes numbered from 0")


def _check_classes(labels: Labels, least: int) -> None:
    found, counts = np.unique(labels, return_counts=True)
    if len(found) < 2:
        raise UserError("too few classes in the training labels", got=len(found), expected="at least 2")
    if found[-1] != len(found) - 1:
        absent = int(np.flatnonzero(found != np.arange(len(found)))[0])
        what = f"training labels out of range: no image of class {absent}"
        raise UserError(what, got=f"{found[0]} to {found[-1]}", expected=f"all of 0 to {len(found) - 1}")
    if counts.min() < least:
        what = f"too few training images of class {counts.argmin()}"
        raise UserError(what, got=counts.min(), expected=f"at least {least}, so that every split gets one")


def _check_test(train: Part, test: Part) -> None:
    if test.images.shape[1:] != train.images.shape[1:]:
        got, expected = test.images.shape[1:], f"{train.images.shape[1:]} as in the training set"
        raise UserError("size of the test images", got=got, expected=expected)
    if test.labels.max() > train.labels.max():
        highest = f"at most {train.labels.max()}, the highest class of the training set"
        raise UserError("test label out of range", got=test.labels.max(), expected=highest)
