"""Batches of images, and their augmentation, as tensor code on the device of the images."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad

from evaluators.base import check_range
from evaluators.data.dataset import Split
from space.errors import UserError

GREY_SHIFT = 2
"""Pixels that grey images move at most: digits and clothes fill the frame."""

COLOUR_SHIFT = 4
"""Pixels that colour images move at most: He et al. (2016), section 4.2, pad by 4 and crop."""

Batch = tuple[Tensor, Tensor]
"""Images (B×C×H×W, float32 in [0, 1], channels last in memory) and labels (B, int64)."""


def batches(split: Split, size: int, *, generator: torch.Generator, augment: bool) -> Iterator[Batch]:
    """Pass once over a split in random order; each image comes exactly once.

    The last batch may be smaller; a single image left over joins the batch before it, because batch
    normalisation needs more than one value.

    Args:
        split: at least 2 images.
        size: images per batch, >= 2.
        generator: on the device of the images; its state says which pass this is.
        augment: whether to move (and, in colour, mirror) each image at random.
    """
    check_range("batch size", size, 2, 10**9)
    if len(split) < 2:
        raise UserError("too few training images", got=len(split), expected="at least 2")
    order = torch.randperm(len(split), generator=generator, device=split.labels.device)
    for start, end in pairwise(_edges(len(split), size)):
        images = split.images[order[start:end]]
        yield to_float(jitter(images, generator) if augment else images), split.labels[order[start:end]]


def evaluation_batches(split: Split, size: int) -> Iterator[Batch]:
    """Pass once over a split in its own order, the images as they are.

    Args:
        split: any number of images.
        size: images per batch, >= 1; the last batch may be smaller.
    """
    check_range("batch size", size, 1, 10**9)
    for start in range(0, len(split), size):
        yield to_float(split.images[start : start + size]), split.labels[start : start + size]


def to_float(images: Tensor) -> Tensor:
    """Turn uint8 into float32 in [0, 1] (value / 255), channels last in memory."""
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)


def jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image by its own random offset, filling with black; mirror every other colour image.

    Args:
        images: B×C×H×W, any type; C = 3 counts as colour.
        generator: on the device of the images.
    Returns: the same shape and type.
    """
    batch, channels, height, width = images.shape
    colour, device = channels == 3, images.device
    shift = COLOUR_SHIFT if colour else GREY_SHIFT
    top, left = torch.randint(2 * shift + 1, (2, batch, 1), generator=generator, device=device)
    across = torch.arange(width, device=device).expand(batch, width)
    if colour:
        mirrored = torch.randint(2, (batch, 1), generator=generator, device=device, dtype=torch.bool)
        across = torch.where(mirrored, width - 1 - across, across)
    rows = (top + torch.arange(height, device=device))[:, :, None]
    columns = (left + across)[:, None, :]
    which = torch.arange(batch, device=device)[:, None, None]
    return pad(images, [shift] * 4)[which, :, rows, columns].permute(0, 3, 1, 2)


def _edges(total: int, size: int) -> list[int]:
    edges = [*range(0, total, size), total]
    return edges if total % size != 1 else [*edges[:-2], total]
