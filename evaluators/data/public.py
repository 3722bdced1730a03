"""Public sets, through torchvision: downloaded when asked, read from a folder ever after."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.cache import default_root
from evaluators.data.arrays import Part, Source
from evaluators.homes import expanded
from space.errors import UserError

PUBLIC = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
"""Name of a set -> the class in torchvision.datasets that reads it, and cites it."""


def read_public(name: str, root: Path | None, download: bool) -> Source:
    """Read a public set.

    Args:
        name: a key of `PUBLIC`.
        root: folder that torchvision keeps it in, by default "datasets" in the user's cache folder.
        download: whether to fetch it if it is not there.
    Raises: UserError if it is absent or damaged, or cannot be downloaded.
    """
    folder = expanded(root) if root else default_root() / "datasets"
    try:
        return Source(train=_read(name, folder, True, download), test=_read(name, folder, False, download))
    except UserError:
        raise
    except Exception as error:  # torchvision checks with assertions too, and the network adds its own types
        raise _unreadable(name, folder, download, error) from error


def _read(name: str, folder: Path, train: bool, download: bool) -> Part:
    from torchvision import datasets

    with warnings.catch_warnings():  # numpy has something to say about the CIFAR files of 2009
        warnings.simplefilter("ignore")
        found: Any = getattr(datasets, PUBLIC[name])(folder, train=train, download=download)
    images = np.asarray(found.data)
    labels = np.asarray(found.targets, dtype=np.int64)
    return Part(images=images[..., None] if images.ndim == 3 else images, labels=labels)


def _unreadable(name: str, folder: Path, download: bool, error: Exception) -> UserError:
    if download:
        hint = "is there a network, and can the folder of --data-root be written?"
        return UserError(f"data set {name} cannot be downloaded", got=str(error), hint=hint)
    hint = "--download fetches it, --data-root names another folder"
    return UserError(f"data set {name} is absent or damaged", got=str(folder), expected="its files", hint=hint)
