"""The Square attack (Andriushchenko et al. 2020): random squares of ±ε, by the model's scores alone."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.attacks.losses import break_margin
from evaluators.ensemble import Ensemble

FIRST_SHARE = 0.8
"""Share of the pixels that the first squares cover: p of the paper."""

NEAR_SHARE = 0.1
"""The same where the search begins near the weak spot: a tenth of the pixels or less is left to be found."""

Start = Literal["stripes", "best"]
"""Where a search begins: at stripes, as in the paper, or at the corner nearest to what earlier attacks found best."""

HALVINGS = (0.001, 0.005, 0.02, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Shares of all queries after which the squares' area is halved: those of the paper's schedule for 10,000."""


@dataclass(frozen=True, kw_only=True)
class Square(Attack):
    """A random search over the corners of the ball, within l∞, untargeted; no gradient is taken.

    Every pixel is at one of its two bounds: vertical stripes at first, or the bound nearer to the best image so far.
    Then one square after the other is set to either bound, and stays so if that raises the vote's margin. Several
    squares are tried in one pass, each alone, and the best is kept: fewer, larger passes than the paper's for the same
    number of queries. No query is spent on a square that would change nothing.

    Attributes:
        queries: images passed forward for each one attacked, >= 0; none changes nothing.
        sample: how many of the images that stand are attacked, 0 for all: drawn at random, or the nearest to falling
            where they are the start.
        proposals: squares tried at once, >= 1.
        start: where it begins. From the best image of an ascent it ends what gradients began: where weights and
            activations are binary, the last step to the weak spot is one between corners, which no gradient shows.
    """

    queries: int = 300
    sample: int = 128
    proposals: int = 4
    start: Start = "stripes"

    @torch.no_grad()
    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place.

        An image that stands keeps what raised the model's own loss.

        The draws are made for every image, so that those of one do not depend on what else has fallen; whether it is
        in the sample does.
        """
        standing = self._sample(outcome, generator)
        run = _Run(model, labels, outcome, Ball.around(outcome.origin, threat.epsilon))
        upper = (outcome.images > outcome.origin)[standing]
        highest = torch.full(standing.shape, -torch.inf, device=labels.device)
        for spent in range(0, self.queries, self.proposals):
            change = self._draw(spent, outcome.origin, standing, generator)
            if not len(standing):
                return
            trials = change.on(upper) if spent or self.start == "stripes" else upper[None]
            found, loss = run.try_all(trials, standing)
            upper = torch.where((loss > highest).view(-1, 1, 1, 1), found, upper)
            kept = (~outcome.broken[standing]).nonzero().squeeze(1)
            standing, upper, highest = standing[kept], upper[kept], highest.maximum(loss)[kept]

    def _draw(self, spent: int, images: Tensor, standing: Tensor, generator: torch.Generator) -> "_Change":
        """What is tried next on the images `standing`: stripes at first, then squares; drawn for all of them."""
        count = min(self.proposals, self.queries - spent)
        if not spent:
            return _stripes(images, standing, count, generator)
        return _squares(images, standing, count, self._side(spent, images), generator)

    def _sample(self, outcome: Attacked, generator: torch.Generator) -> Tensor:
        """Indices of what is attacked: those that stand, drawn, or those of the highest loss where that is a start."""
        drawn = torch.rand(len(outcome.origin), generator=generator, device=outcome.origin.device)
        order = (drawn if self.start == "stripes" else -outcome.loss).argsort(stable=True)
        standing = order[~outcome.broken[order]]
        return standing[: self.sample or len(standing)].sort().values

    def _side(self, spent: int, images: Tensor) -> int:
        """Length of the squares' sides in pixels, after some queries."""
        first = FIRST_SHARE if self.start == "stripes" else NEAR_SHARE
        share = first / 2 ** sum(spent > self.queries * halving for halving in HALVINGS)
        height, width = images.shape[2:]
        return min(max(round(math.sqrt(share * height * width)), 1), height, width)


@dataclass
class _Run:
    """What the patterns of one attack are tried on: N×C×H×W booleans, true where a pixel is at its upper bound."""

    model: Ensemble
    labels: Tensor
    outcome: Attacked
    ball: Ball

    def try_all(self, trials: Tensor, standing: Tensor) -> tuple[Tensor, Tensor]:
        """Pass several patterns of each image (P×n×C×H×W), record the best: returns it and its loss."""
        count, ball, labels = len(trials), self.ball[standing], self.labels[standing].repeat(len(trials))
        images = torch.where(trials, ball.high, ball.low)
        logits = self.model.member_logits(images.flatten(0, 1))
        fallen = self.model.predict(logits) != labels
        loss = break_margin(self.model, logits, labels).masked_fill(fallen, torch.inf).view(count, -1)
        best = loss.argmax(0), torch.arange(len(standing), device=standing.device)
        own = self.model.loss(logits, labels).view(count, -1)[best]
        self.outcome.record(images[best], standing, fallen.view(count, -1)[best], own)
        self.outcome.forwards += (count - 1) * len(standing)
        return trials[best], loss[best]


@dataclass
class _Change:
    """Patterns to try on n images: `window` (P×n×1×H×W booleans) goes to `bound` (P×n×C×1×W or 1)."""

    window: Tensor
    bound: Tensor

    def on(self, upper: Tensor) -> Tensor:
        """The changed patterns, P×n×C×H×W, of n; one that changes nothing is turned over."""
        idle = ~(self.window & (self.bound != upper)).flatten(2).any(2)
        return torch.where(self.window, self.bound ^ idle[..., None, None, None], upper)


def _stripes(images: Tensor, standing: Tensor, count: int, generator: torch.Generator) -> _Change:
    """Every column at either bound, channel by channel."""
    number, channels, _, width = images.shape
    columns = torch.rand(count, number, channels, 1, width, generator=generator, device=images.device) < 0.5
    everywhere = torch.ones(count, len(standing), 1, 1, 1, dtype=torch.bool, device=images.device)
    return _Change(everywhere, columns[:, standing])


def _squares(images: Tensor, standing: Tensor, count: int, side: int, generator: torch.Generator) -> _Change:
    """A square anywhere at either bound, channel by channel."""
    number, channels, height, width = images.shape
    drawn = torch.rand(count, number, 2 + channels, generator=generator, device=images.device)[:, standing]
    rows, columns = _stretch(drawn[..., 0], side, height), _stretch(drawn[..., 1], side, width)
    window = (rows.unsqueeze(-1) & columns.unsqueeze(-2)).unsqueeze(2)
    return _Change(window, (drawn[..., 2:] < 0.5)[..., None, None])


def _stretch(drawn: Tensor, side: int, length: int) -> Tensor:
    """Which of `length` places lie in a stretch of `side` that begins anywhere, by uniform numbers in [0, 1)."""
    begin = (drawn * (length - side + 1)).long().unsqueeze(-1)
    places = torch.arange(length, device=drawn.device)
    return (begin <= places) & (places < begin + side)
