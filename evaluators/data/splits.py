"""How images are shared out among training, validation and test."""

import torch
from torch import Tensor

VALIDATION_SHARE = 0.2
"""Share of the training images that is held out for validation."""

VALIDATION_LIMIT = 10_000
"""Most images that validation takes: more make no difference that a standard error would show."""

TEST_SHARE = 0.2
"""Share of the images that is the test set where the source has none."""


def spread(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Order images at random, yet so that every prefix holds the classes in their proportions.

    The k-th image (from 0) of a class of n images goes to position k/n; images at the same position are in
    random order. So a prefix that ends before position t holds ceil(t n) images of every class, and each
    class appears before any class appears twice.

    Args:
        labels: N, int64, >= 0, on the CPU.
        generator: on the CPU, so that all devices get the same order.
    Returns: N, int64, a permutation of 0 to N - 1.
    """
    shuffled = torch.randperm(len(labels), generator=generator)
    by_class = shuffled[torch.argsort(labels[shuffled], stable=True)]
    counts = torch.bincount(labels)
    rank = torch.arange(len(labels)) - (counts.cumsum(0) - counts)[labels[by_class]]
    position = torch.empty(len(labels), dtype=torch.float64)
    position[by_class] = rank.double() / counts[labels[by_class]]
    return shuffled[torch.argsort(position[shuffled], stable=True)]


def mixed(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Leave images in their order, unless they lie class by class, where a prefix would lack most classes: `spread`.

    Args:
        labels: N, int64, >= 0, on the CPU.
        generator: on the CPU.
    Returns: N, int64, a permutation of 0 to N - 1.
    """
    classes, changes = torch.bincount(labels).count_nonzero(), labels.diff().count_nonzero()
    return spread(labels, generator) if changes < classes else torch.arange(len(labels))


def held_out(total: int, classes: int, share: float, limit: int | None = None) -> int:
    """How many of `total` images to hold out: their share up to the limit, at least one per class."""
    wanted = round(share * total)
    return max(classes, wanted if limit is None else min(wanted, limit))


def divide(labels: Tensor, generator: torch.Generator, share: float, limit: int | None = None) -> tuple[Tensor, Tensor]:
    """Hold out a stratified share.

    With n >= 2 images per class and a share of at most 1/2, both parts hold every class; with n >= 3 and a
    share of at most 1/3, the rest keeps at least two of each.

    Returns: indices of the images held out, and of the rest; both ordered as `spread` orders them.
    """
    order = spread(labels, generator)
    cut = held_out(len(labels), int(torch.bincount(labels).count_nonzero()), share, limit)
    return order[:cut], order[cut:]
