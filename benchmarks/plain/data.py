"""Images of an npz file through torchvision's transforms and a DataLoader."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


@dataclass
class Images(Dataset[tuple[Tensor, int]]):
    """uint8 images (N×H×W×C) and labels, as torchvision's own data sets hold and read them."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    transform: Any

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.pixels[index].squeeze())
        return self.transform(picture), int(self.labels[index])


def training_loader(pixels: NDArray[np.uint8], labels: NDArray[np.int64], batch: int = 64) -> DataLoader[Any]:
    """Shuffled, moved (and, in colour, mirrored) at random."""
    size, colour = pixels.shape[1], pixels.shape[3] == 3
    steps = [transforms.RandomCrop(size, padding=4 if colour else 2), transforms.ToTensor()]
    steps = [transforms.RandomHorizontalFlip(), *steps] if colour else steps
    return DataLoader(Images(pixels, labels, transforms.Compose(steps)), batch_size=batch, shuffle=True)


def judging_loader(pixels: NDArray[np.uint8], labels: NDArray[np.int64], batch: int = 256) -> DataLoader[Any]:
    """To judge on: in their own order, as they are."""
    return DataLoader(Images(pixels, labels, transforms.ToTensor()), batch_size=batch)
