"""Images that the written files are judged on, each file beside the network it was written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluators.base import Measurement

if TYPE_CHECKING:
    from torch import Tensor

    from evaluators.data.dataset import Split
    from evaluators.deployment.adversaries import Adversaries
    from evaluators.ensemble import Ensemble
    from search.export.running import Decides

    Batches = Iterable[tuple[Tensor, Tensor]]
    """Images (N×C×H×W in [0, 1]) and labels."""

BATCH = 256
"""Images that are decided at once."""


@dataclass(kw_only=True)
class Tally:
    """What a file made of some images.

    Attributes:
        images: how many.
        hits: decided as labelled.
        flips: decided otherwise than by the network the file was written from.
        wrong: of the images, those that this network gets wrong.
        fooled: of those, the ones that the file gets wrong too.
    """

    images: int = 0
    hits: int = 0
    flips: int = 0
    wrong: int = 0
    fooled: int = 0

    @property
    def own(self) -> Measurement:
        """The accuracy of the network itself."""
        return Measurement.fraction(self.images - self.wrong, self.images)

    def count(self, classes: Tensor, expected: Tensor, labels: Tensor) -> None:
        """Take in a batch: the file's classes, the network's, and the labels."""
        missed = expected != labels
        self.images += len(labels)
        self.hits += int((classes == labels).sum())
        self.flips += int((classes != expected).sum())
        self.wrong += int(missed.sum())
        self.fooled += int((missed & (classes != labels)).sum())

    def to_json(self) -> dict[str, Any]:
        """As a JSON object with shares."""
        return {
            "images": self.images,
            "accuracy": self.hits / self.images,
            "flips": self.flips,
            "flip_rate": self.flips / self.images,
            "fooled": self.fooled,
            "of_wrong": self.wrong,
        }


def examined(ensemble: Ensemble, files: Mapping[str, Decides], batches: Batches) -> dict[str, Tally]:
    """Let every file decide every image, and compare with the ensemble, wherever that computes.

    Args:
        ensemble: that the files were written from.
        files: functions by name.
        batches: as `clean_batches` and `attacked_batches` give them.
    """
    import torch

    device = next(iter(ensemble.state_dict().values())).device
    tallies = {name: Tally() for name in files}
    for images, labels in batches:
        expected, plain = ensemble(images.to(device)).cpu(), images.contiguous().numpy()
        for name, decide in files.items():
            tallies[name].count(torch.from_numpy(decide(plain)), expected, labels)
    return tallies


def clean_batches(split: Split) -> Iterator[tuple[Tensor, Tensor]]:
    """The images of a split as they are, on the processor."""
    from evaluators.data.batches import evaluation_batches

    yield from ((images.cpu().contiguous(), labels.cpu()) for images, labels in evaluation_batches(split, BATCH))


def attacked_batches(adversaries: Adversaries) -> Iterator[tuple[Tensor, Tensor]]:
    """What attacks made of images."""
    images, labels = adversaries.images, adversaries.labels
    for start in range(0, len(labels), BATCH):
        yield images[start : start + BATCH], labels[start : start + BATCH]
