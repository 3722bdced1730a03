"""What a candidate will probably cost, before anything is measured and without a look at a clock."""

from dataclasses import dataclass
from typing import Self

from evaluators.base import Budget

STARTING, STEP = 130, 12
"""Passes that the worst case takes for each image and member, and for each step and restart on top: measured on
mnist5k, ensembles of three of which half of the images stand. More where all stand, hardly any where none does."""

LEAST = 1000.0
"""Passes that any trial is worth: the clean images, what is written, who proposes."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Passes of one image through one network of full width; a step backwards counts as two.

    Attributes:
        training: to train one member.
        attack: to attack a candidate of one member; each further one costs as much again.
    """

    training: float
    attack: float

    @classmethod
    def of(cls, budget: Budget, train_images: int) -> Self:
        """Under a budget, with so many images to train on."""
        passes = STARTING + STEP * budget.steps * budget.restarts
        return cls(training=3.0 * budget.epochs * train_images, attack=float(budget.images * passes))
