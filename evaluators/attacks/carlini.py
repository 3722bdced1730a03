"""Carlini and Wagner (2017): the nearest misclassified image in the Euclidean norm."""

from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor

from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.ensemble import Ensemble
from evaluators.fitting import parted

MOVABLE = 0.999999
"""Shrinks pixels towards grey before atanh: at exactly 0 and 1 it is infinite, and such pixels would never move."""


@dataclass(frozen=True, kw_only=True)
class CarliniWagner(Attack):
    """Minimises ‖x' - x‖² + c·max(margin, -confidence) by Adam, over tanh space, so that pixels stay in [0, 1].

    The margin is that of the label, z_y - max z_other. ε plays no part: the attacker may move any pixel any distance,
    and wants the whole move short. An ensemble's z is its members' mean logit, whose margin is that of the mean
    log-probability; whether an image has fallen is the vote's word alone, and while the vote stands its margin is
    pushed down without end.

    Attributes:
        steps: Adam steps of each search step, >= 0; none changes nothing.
        search_steps: values of c that are tried for each image, >= 1: bisected, times 10 while none has worked.
        constant: the first c.
        rate: Adam's learning rate.
        confidence: margin by which a fallen image must be beyond the boundary, >= 0.
    """

    steps: int = 50
    search_steps: int = 1
    constant: float = 10.0
    rate: float = 0.1
    confidence: float = 0.0

    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place.

        Nothing is drawn. An image that falls keeps its nearest adversary; one that stands is left as it was.
        """
        standing = outcome.standing
        if self.steps and len(standing):
            parted(partial(self._search, outcome, model, labels), standing)

    def craft(
        self, source: Ensemble, origin: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator
    ) -> Tensor:
        """What breaks a source at the shortest distance, for use on another model; ε plays no part.

        Returns: `origin` where the source is wrong already, or stands.
        """
        return self(source, origin, labels, ThreatModel(epsilon=epsilon), generator).images

    def _search(self, outcome: Attacked, model: Ensemble, labels: Tensor, standing: Tensor) -> None:
        search = _Search.start(self, model, labels[standing], outcome, standing)
        for _ in range(self.search_steps):
            search.descend(self)
            search.bisect()


@dataclass
class _Search:
    """The images that stood at first, the c of each, and the distance of its nearest adversary."""

    model: Ensemble
    labels: Tensor
    outcome: Attacked
    standing: Tensor
    constant: Tensor
    low: Tensor
    high: Tensor
    nearest: Tensor
    fooled: Tensor

    @classmethod
    def start(cls, attack: CarliniWagner, model: Ensemble, labels: Tensor, outcome: Attacked, standing: Tensor) -> Self:
        zeros = torch.zeros(len(standing), device=labels.device)
        return cls(
            model,
            labels,
            outcome,
            standing,
            constant=zeros + attack.constant,
            low=zeros,
            high=zeros + torch.inf,
            nearest=zeros + torch.inf,
            fooled=zeros.bool(),
        )

    @torch.enable_grad()
    def descend(self, attack: CarliniWagner) -> None:
        """One search step: Adam from the image itself, with the present c of each image."""
        centre = ((2 * self.outcome.origin[self.standing] - 1) * MOVABLE).atanh()
        origin = _pixels(centre)  # so that the distance pulls nowhere at first
        shift = torch.zeros_like(centre, requires_grad=True)
        adam = torch.optim.Adam([shift], lr=attack.rate)
        self.fooled = torch.zeros_like(self.fooled)
        for _ in range(attack.steps):
            loss = self._judge(_pixels(centre + shift), origin, attack.confidence)
            (shift.grad,) = torch.autograd.grad(loss.sum(), shift)
            self.outcome.backwards += len(shift)
            adam.step()
        with torch.no_grad():
            self._judge(_pixels(centre + shift), origin, attack.confidence)

    def bisect(self) -> None:
        """Choose the next c of each image: smaller where the last one worked, larger where it did not."""
        self.low = torch.where(self.fooled, self.low, self.constant)
        self.high = torch.where(self.fooled, self.constant, self.high)
        self.constant = torch.where(self.high.isinf(), 10 * self.constant, (self.low + self.high) / 2)

    def _judge(self, moved: Tensor, origin: Tensor, confidence: float) -> Tensor:
        """Record what fell nearer than before; returns what each image minimises."""
        logits = self.model.member_logits(moved)
        margin = label_margin(logits.mean(0), self.labels)
        fallen = self.model.predict(logits.detach()) != self.labels
        squares = (moved - origin).square().flatten(1).sum(1)
        far_enough = fallen & ((margin <= -confidence) | (confidence == 0))
        self._record(moved.detach(), logits.detach(), far_enough, squares.detach().sqrt())
        return squares + self.constant * torch.where(fallen, margin.clamp_min(-confidence), margin)

    def _record(self, moved: Tensor, logits: Tensor, fallen: Tensor, distance: Tensor) -> None:
        nearer = fallen & (distance < self.nearest)
        self.nearest = torch.where(nearer, distance, self.nearest)
        self.fooled = self.fooled | fallen
        self.outcome.broken[self.standing[fallen]] = True
        self.outcome.keep(moved, self.standing, nearer, self.model.loss(logits, self.labels))
        self.outcome.forwards += len(moved)


def label_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """How far the label's logit is above the highest other, whatever the sign of either: N floats."""
    own = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    return logits[own] - logits.masked_fill(own, -torch.inf).amax(1)


def _pixels(hidden: Tensor) -> Tensor:
    return (hidden.tanh() + 1) / 2
