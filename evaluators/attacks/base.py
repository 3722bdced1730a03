"""What all attacks share: the threat they act under, and the outcome they leave."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import torch
from torch import Tensor

from evaluators.attacks.losses import Loss, plain
from evaluators.base import Threat
from evaluators.ensemble import Ensemble
from evaluators.fitting import parted


@dataclass(frozen=True, kw_only=True)
class ThreatModel:
    """What the attacker may do: where they stand and how far a pixel may move."""

    epsilon: float
    where: Threat = "raw"

    def origin(self, model: Ensemble, images: Tensor) -> Tensor:
        """The image the attacker starts from: raw, or as the discretizer leaves it."""
        return images if self.where == "raw" else model.discretise(images)


OF_IMAGES = ("origin", "images", "broken", "loss")
"""What an outcome has of each image."""


@dataclass(kw_only=True)
class Attacked:
    """The outcome of an attack.

    Attributes:
        origin: the images the ball is around.
        images: the best iterate of each image, within the ball.
        broken: whether the model is wrong on it.
        loss: the loss there.
        forwards: images passed forward.
        backwards: images passed backward.
    """

    origin: Tensor
    images: Tensor
    broken: Tensor
    loss: Tensor
    forwards: int
    backwards: int = 0

    @classmethod
    @torch.no_grad()
    def untouched(cls, model: Ensemble, images: Tensor, labels: Tensor) -> Self:
        """The state before an attack: what the model gets wrong has already fallen."""
        logits = model.member_logits(images)
        return cls(
            origin=images,
            images=images.clone(),
            broken=model.predict(logits) != labels,
            loss=model.loss(logits, labels),
            forwards=len(images),
        )

    def copy(self) -> "Attacked":
        """The same state, to be attacked on its own."""
        return replace(self, images=self.images.clone(), broken=self.broken.clone(), loss=self.loss.clone())

    @classmethod
    def joined(cls, parts: Sequence["Attacked"]) -> Self:
        """Outcomes of several batches as one."""
        tensors = {name: torch.cat([getattr(part, name) for part in parts]) for name in OF_IMAGES}
        return cls(
            **tensors,
            forwards=sum(part.forwards for part in parts),
            backwards=sum(part.backwards for part in parts),
        )

    def part(self, index: Tensor) -> "Attacked":
        """Some of the images, to be attacked on their own; nothing is spent on them yet."""
        return Attacked(**{name: getattr(self, name)[index] for name in OF_IMAGES}, forwards=0)

    def take_back(self, index: Tensor, part: "Attacked") -> None:
        """Take in what became of a `part`, and what was spent on it."""
        for name in OF_IMAGES:
            getattr(self, name)[index] = getattr(part, name)
        self.spend(part)

    def spend(self, other: "Attacked") -> None:
        """Count what was spent on another outcome as well."""
        self.forwards += other.forwards
        self.backwards += other.backwards

    @property
    def standing(self) -> Tensor:
        """Indices of the images that have not fallen."""
        return (~self.broken).nonzero().squeeze(1)

    def left(self, standing: Tensor, fallen: Tensor) -> Tensor:
        """Places in `standing` (indices of images) of those to attack further, after some of them have fallen."""
        return (~fallen).nonzero().squeeze(1)

    @property
    def distances(self) -> Tensor:
        """How far each image was moved, in the Euclidean norm over all its pixels: N floats."""
        moves = (self.images - self.origin).flatten(1)
        return moves.square().sum(1).sqrt()

    def record(self, iterate: Tensor, standing: Tensor, fallen: Tensor, loss: Tensor) -> None:
        """Take in the iterates of the images `standing`, each if it fell or raised the loss."""
        self.keep(iterate, standing, fallen | (loss > self.loss[standing]), loss)
        self.broken[standing] = fallen
        self.forwards += len(iterate)

    def take(self, iterate: Tensor, standing: Tensor, seen: "Judged") -> None:
        """Record what the model made of the iterates of the images `standing`."""
        self.record(iterate, standing, seen.fallen, seen.loss)
        self.backwards += len(iterate) if seen.gradient is not None else 0

    def keep(self, iterate: Tensor, standing: Tensor, better: Tensor, loss: Tensor) -> None:
        """Replace the images `standing` by their iterates where those are better."""
        self.images[standing[better]] = iterate[better]
        self.loss[standing[better]] = loss[better]


class Attack(ABC):
    """Attacks a batch: float32 images (N×C×H×W in [0, 1]) and the labels the model should not give up.

    What fell is judged on the model's own decision; its parameters stay as they are.
    """

    def __call__(
        self, model: Ensemble, images: Tensor, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> Attacked:
        """The outcome of an attack from the start; what the model gets wrong has already fallen."""
        outcome = Attacked.untouched(model, threat.origin(model, images), labels)
        self.go_on(outcome, model, labels, threat, generator)
        return outcome

    @abstractmethod
    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a model makes of iterates, N of them.

    Attributes:
        fallen: whether its own decision is wrong, N booleans.
        loss: that of the vote's cross-entropy, N floats.
        climbed: the loss that the attack climbs, N floats.
        gradient: of `climbed`, the shape of the images; None where nobody asked, or nothing is left to attack.
    """

    fallen: Tensor
    loss: Tensor
    climbed: Tensor
    gradient: Tensor | None

    @classmethod
    def joined(cls, parts: Sequence["Judged"]) -> "Judged":
        """Parts of a batch as one; a part without a gradient has one of zeros where another part has one."""
        values = {name: torch.cat([getattr(part, name) for part in parts]) for name in ("fallen", "loss", "climbed")}
        known = [part.gradient for part in parts if part.gradient is not None]
        if not known:
            return cls(**values, gradient=None)
        zeros = [known[0].new_zeros(len(part.fallen), *known[0].shape[1:]) for part in parts]
        filled = [none if part.gradient is None else part.gradient for part, none in zip(parts, zeros, strict=True)]
        return cls(**values, gradient=torch.cat(filled))


def judged(model: Ensemble, iterate: Tensor, labels: Tensor, loss: Loss, *, final: bool = False) -> Judged:
    """Pass iterates forward, and backward unless this is the final look or all of them have fallen.

    A model whose outputs do not depend on its input in a way that can be differentiated has a gradient of zero.
    """
    first, *others = parted(partial(_judged, model, loss, final), iterate, labels)
    return Judged.joined([first, *others]) if others else first


def _judged(model: Ensemble, loss: Loss, final: bool, iterate: Tensor, labels: Tensor) -> Judged:
    iterate = iterate.detach().requires_grad_(not final)
    with torch.set_grad_enabled(not final):
        logits = model.member_logits(iterate)
        climbed = loss(model, logits, labels)
    fallen = model.predict(logits.detach()) != labels
    own = climbed if loss is plain else plain(model, logits.detach(), labels)
    gradient = None
    if not (final or fallen.all()):
        gradient = _gradient(climbed, iterate)
    return Judged(fallen=fallen, loss=own.detach(), climbed=climbed.detach(), gradient=gradient)


def _gradient(loss: Tensor, images: Tensor) -> Tensor:
    if not loss.requires_grad:
        return torch.zeros_like(images)
    (gradient,) = torch.autograd.grad(loss, images, torch.ones_like(loss), allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient


def loss_gradient(model: Ensemble, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the model's loss at each image: the shape of the images."""
    return torch.cat(parted(partial(_loss_gradient, model), images, labels))


@torch.enable_grad()
def _loss_gradient(model: Ensemble, images: Tensor, labels: Tensor) -> Tensor:
    images = images.detach().requires_grad_()
    return _gradient(model.loss(model.member_logits(images), labels), images)
