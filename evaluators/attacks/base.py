"""What all attacks share: the threat they act under, and the outcome they leave."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from evaluators.base import Threat
from evaluators.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class ThreatModel:
    """What the attacker may do: where they stand and how far a pixel may move."""

    epsilon: float
    where: Threat = "raw"

    def origin(self, model: Ensemble, images: Tensor) -> Tensor:
        """The image the attacker starts from: raw, or as the discretizer leaves it."""
        return images if self.where == "raw" else model.discretise(images)


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

    @property
    def standing(self) -> Tensor:
        """Indices of the images that have not fallen."""
        return (~self.broken).nonzero().squeeze(1)

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

    def keep(self, iterate: Tensor, standing: Tensor, better: Tensor, loss: Tensor) -> None:
        """Replace the images `standing` by their iterates where those are better."""
        self.images[standing[better]] = iterate[better]
        self.loss[standing[better]] = loss[better]


class Attack(Protocol):
    """Attacks a batch: float32 images (N×C×H×W in [0, 1]) and the labels the model should not give up."""

    def __call__(
        self, model: Ensemble, images: Tensor, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> Attacked:
        """What fell is judged on the model's own decision; its parameters stay as they are."""
        ...


@torch.enable_grad()
def loss_gradient(model: Ensemble, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the model's loss at each image: the shape of the images."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model.loss(model.member_logits(images), labels).sum(), images)
    return gradient
