"""Ascent with momentum whose steps are halved where they no longer help: Auto-PGD (Croce and Hein 2020)."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attack, Attacked, Judged, ThreatModel, judged
from evaluators.attacks.losses import Loss, break_margin
from evaluators.attacks.starts import climb_from
from evaluators.ensemble import Ensemble

MOMENTUM = 0.75
"""Share of a move that is the new step; the rest is the last move again."""
ENOUGH = 0.75
"""Share of the steps between two checkpoints that must have raised the loss, or the step is halved."""


@dataclass(frozen=True, kw_only=True)
class HalvingAscent(Attack):
    """Starts with steps of 2ε; at each checkpoint an image that has not gained goes back to its best with half of it.

    Departures from Algorithm 1: the first move too is of 75 % of the step, the first look counts as a gain, and the
    move after going back has no momentum.

    Attributes:
        steps: gradient steps of each start, >= 0.
        restarts: starts, each at another corner of the ball: all pixels at ±ε.
        loss: what is climbed.
    """

    steps: int
    restarts: int = 1
    loss: Loss = break_margin

    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place.

        An image leaves the batch when the model's decision falls.
        """

        def begin() -> Tensor:
            return corners(outcome.origin, threat.epsilon, generator)

        def climb(outcome: Attacked, labels: Tensor, start: Tensor) -> None:
            self._climb(outcome, model, labels, threat.epsilon, start)

        climb_from(self.restarts if self.steps else 0, outcome, labels, begin, climb)

    def _climb(self, outcome: Attacked, model: Ensemble, labels: Tensor, epsilon: float, start: Tensor) -> None:
        standing = outcome.standing
        if not len(standing):
            return
        state, checks = _State.begin(outcome, start, epsilon), checkpoints(self.steps)
        for step in range(self.steps + 1):
            seen = judged(model, state.iterate, labels[standing], self.loss, final=step == self.steps)
            outcome.take(state.iterate, standing, seen)
            kept = outcome.left(standing, seen.fallen)
            if seen.gradient is None or not len(kept):
                return
            state.look(seen)
            standing, state = standing[kept], state[kept]
            if step in checks:
                state.halve(step - max((one for one in checks if one < step), default=0))
            state.move()


def corners(origin: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """Each pixel as far up or down as it may go: where quantized pixels are most likely to change."""
    up = torch.rand(origin.shape, generator=generator, device=origin.device) < 0.5
    return Ball.around(origin, epsilon).project(origin + torch.where(up, epsilon, -epsilon))


def checkpoints(steps: int) -> list[int]:
    """Steps after which progress is looked at: at 22 % of them, then at distances that shrink to 6 % (§3.1).

    >>> checkpoints(100)
    [22, 41, 57, 70, 80, 87, 93, 99]
    """
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return sorted({math.ceil(share * steps - 1e-9) for share in shares[1:-1]} - {0})


@dataclass
class _State:
    """Where each image is on its way; every tensor has the images along its first axis.

    Attributes:
        low, high: its ball.
        iterate, last: where it is, and was.
        gradient: there.
        step: length of its next step.
        best, best_gradient, best_loss: the highest so far.
        before: the loss at the last look.
        gains: how often the loss rose since the last checkpoint.
        halved: whether the last checkpoint halved its step.
        checked: the highest loss at the last checkpoint.
    """

    low: Tensor
    high: Tensor
    iterate: Tensor
    last: Tensor
    gradient: Tensor
    step: Tensor
    best: Tensor
    best_gradient: Tensor
    best_loss: Tensor
    before: Tensor
    gains: Tensor
    halved: Tensor
    checked: Tensor

    @classmethod
    def begin(cls, outcome: Attacked, start: Tensor, epsilon: float) -> Self:
        standing = outcome.standing
        ball, iterate = Ball.around(outcome.origin[standing], epsilon), start[standing]
        lowest = torch.full((len(standing),), -torch.inf, device=iterate.device)
        zeros = torch.zeros_like(iterate)
        return cls(
            *(ball.low, ball.high, iterate, iterate, zeros),
            *(torch.full_like(lowest, 2 * epsilon), iterate, zeros, lowest, lowest),
            *(torch.zeros_like(lowest), torch.ones_like(lowest).bool(), lowest),
        )

    def __getitem__(self, kept: Tensor) -> "_State":
        return _State(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))

    def look(self, seen: Judged) -> None:
        """Take in the loss and gradient at the iterate."""
        self.gradient = self.gradient if seen.gradient is None else seen.gradient
        self.gains = self.gains + (seen.climbed > self.before)
        self.before, better = seen.climbed, seen.climbed > self.best_loss
        self._keep_best(better)
        self.best_loss = torch.where(better, seen.climbed, self.best_loss)

    def halve(self, steps: int) -> None:
        """Halve the step of the images that rose too seldom, or not at all with the step they had; back to the best."""
        stalled = ~self.halved & (self.best_loss <= self.checked)
        self.halved = (self.gains < ENOUGH * steps) | stalled
        self.step = torch.where(self.halved, self.step / 2, self.step)
        back = _wide(self.halved)
        self.iterate = torch.where(back, self.best, self.iterate)
        self.last = torch.where(back, self.best, self.last)
        self.gradient = torch.where(back, self.best_gradient, self.gradient)
        self.gains, self.checked = torch.zeros_like(self.gains), self.best_loss

    def move(self) -> None:
        """One step along the gradient's sign, with momentum, within the ball."""
        ahead = (self.iterate + _wide(self.step) * self.gradient.sign()).clamp(self.low, self.high)
        moved = self.iterate + MOMENTUM * (ahead - self.iterate) + (1 - MOMENTUM) * (self.iterate - self.last)
        self.last, self.iterate = self.iterate, moved.clamp(self.low, self.high)

    def _keep_best(self, better: Tensor) -> None:
        self.best = torch.where(_wide(better), self.iterate, self.best)
        self.best_gradient = torch.where(_wide(better), self.gradient, self.best_gradient)


def _wide(values: Tensor) -> Tensor:
    """One value an image, to be used with images."""
    return values.view(-1, 1, 1, 1)
