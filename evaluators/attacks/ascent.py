"""Projected sign-gradient ascent: FGSM, BIM and PGD are choices of its parts."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.base import Threat
from evaluators.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class Ascent:
    """One gradient attack; calling it attacks a batch.

    Attributes:
        steps: gradient steps, >= 0; none changes nothing.
        step_size: length of a step as a share of ε.
        start: the image itself, or a uniform draw from the ball.
        restarts: independent starts; only what still stands is attacked again.
    """

    steps: int
    step_size: float = 0.25
    start: Literal["clean", "uniform"] = "clean"
    restarts: int = 1

    def __call__(
        self,
        model: Ensemble,
        images: Tensor,
        labels: Tensor,
        threat: "ThreatModel",
        generator: torch.Generator,
    ) -> "Attacked":
        """Attack float32 images (N×C×H×W in [0, 1]); the model decides at every step whether an image has fallen.

        An image leaves the batch when it falls; an image that stands keeps its iterate of highest loss.
        """
        outcome = Attacked.untouched(model, threat.origin(model, images), labels)
        for _ in range(self.restarts if self.steps else 0):
            noise = torch.rand(images.shape, generator=generator, device=images.device)
            run = _Run(model, labels, outcome, Ball.around(outcome.origin, threat.epsilon))
            run.climb(self, threat.epsilon, noise if self.start == "uniform" else None)
        return outcome


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
    def untouched(cls, model: Ensemble, images: Tensor, labels: Tensor) -> "Attacked":
        """The state before an attack: what the model gets wrong has already fallen."""
        logits = model.member_logits(images)
        return cls(
            origin=images,
            images=images.clone(),
            broken=model.predict(logits) != labels,
            loss=model.loss(logits, labels),
            forwards=len(images),
        )


@dataclass
class _Run:
    """One start of an attack on the images that still stand."""

    model: Ensemble
    labels: Tensor
    outcome: Attacked
    ball: Ball

    def climb(self, attack: Ascent, epsilon: float, noise: Tensor | None) -> None:
        standing = (~self.outcome.broken).nonzero().squeeze(1)
        ball = self.ball[standing]
        iterate = self.outcome.origin[standing]
        if noise is not None:
            iterate = ball.project(iterate + epsilon * (2 * noise[standing] - 1))
        for step in range(attack.steps + 1):
            iterate, kept, gradient = self._judge(iterate, standing, final=step == attack.steps)
            if gradient is None or not len(kept):
                return
            standing, ball = standing[kept], ball[kept]
            iterate = ball.project(iterate[kept] + attack.step_size * epsilon * gradient[kept].sign())

    def _judge(self, iterate: Tensor, standing: Tensor, *, final: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """Record what fell or got better; returns the iterate, what still stands, and the gradient unless final."""
        labels = self.labels[standing]
        iterate = iterate.detach().requires_grad_(not final)
        with torch.set_grad_enabled(not final):
            logits = self.model.member_logits(iterate)
            loss = self.model.loss(logits, labels)
        fallen = self.model.predict(logits.detach()) != labels
        self._record(iterate.detach(), standing, fallen, loss.detach())
        kept = (~fallen).nonzero().squeeze(1)
        gradient = None
        if not final and len(kept):
            (gradient,) = torch.autograd.grad(loss, iterate, torch.ones_like(loss))
            self.outcome.backwards += len(iterate)
        return iterate.detach(), kept, gradient

    def _record(self, iterate: Tensor, standing: Tensor, fallen: Tensor, loss: Tensor) -> None:
        better = fallen | (loss > self.outcome.loss[standing])
        self.outcome.images[standing[better]] = iterate[better]
        self.outcome.loss[standing[better]] = loss[better]
        self.outcome.broken[standing] = fallen
        self.outcome.forwards += len(iterate)


def attacks(*, steps: int, restarts: int) -> dict[str, Ascent]:
    """The attacks behind the objectives of their names, at this strength.

    FGSM: Goodfellow et al. 2015. BIM: Kurakin et al. 2017. PGD: Madry et al. 2018, step ε/4 as in Frickenstein et al.
    (2023: ε = 2/255, α = 0.5/255).
    """
    return {
        "fgsm": Ascent(steps=1 if steps else 0, step_size=1.0),
        "bim": Ascent(steps=steps),
        "pgd": Ascent(steps=steps, start="uniform", restarts=restarts),
    }
