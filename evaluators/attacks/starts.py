"""Several starts of one attack: the first alone, since most of what falls falls to it, the others side by side.

A pass over few images takes hardly longer than one over a single image, so that what is left of a batch is attacked
from several starts at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.attacks.base import Attacked

AT_ONCE = 128
"""Images that starts side by side may fill."""

Climb = Callable[[Attacked, Tensor, Tensor], None]
"""Attacks what stands in an outcome, in place, once: outcome, labels and start of each of its images."""


@dataclass(kw_only=True)
class Copies(Attacked):
    """The same images several times, one start after the other; what falls from one start is left by all.

    Attributes:
        starts: how many times.
    """

    starts: int

    @classmethod
    def of(cls, part: Attacked, starts: int) -> "Copies":
        """Copies of what still stands in full."""
        index = torch.arange(len(part.broken), device=part.broken.device).repeat(starts)
        copied = part.part(index)
        return cls(**vars(copied), starts=starts)

    def left(self, standing: Tensor, fallen: Tensor) -> Tensor:
        """Places in `standing` of copies of images that no start has broken."""
        images = len(self.broken) // self.starts
        gone = torch.zeros(images, dtype=torch.bool, device=fallen.device)
        gone[standing[fallen] % images] = True
        return (~gone[standing % images]).nonzero().squeeze(1)

    def best(self) -> Attacked:
        """Of each image the copy that fell, or else that of the highest loss; what was spent on all."""
        images = len(self.broken) // self.starts
        height = torch.where(self.broken, torch.inf, self.loss).view(self.starts, images)
        chosen = self.part(height.argmax(0) * images + torch.arange(images, device=height.device))
        chosen.spend(self)
        return chosen


def climb_from(starts: int, outcome: Attacked, labels: Tensor, begin: Callable[[], Tensor], climb: Climb) -> None:
    """Attack what still stands in an outcome from several starts, in place.

    Args:
        starts: >= 0.
        labels: of all images of the outcome.
        begin: draws a start for each of them, whether it stands or not, so that the draws do not depend on the model.
        climb: one start.
    """
    if starts:
        climb(outcome, labels, begin())
    left = starts - 1
    while left > 0:
        standing = outcome.standing
        together = min(left, max(1, AT_ONCE // max(1, len(standing))))
        drawn = torch.cat([begin()[standing] for _ in range(together)])  # of a whole batch no two at once
        left -= together
        if len(standing):
            copies = Copies.of(outcome.part(standing), together)
            climb(copies, labels[standing].repeat(together), drawn)
            outcome.take_back(standing, copies.best())
