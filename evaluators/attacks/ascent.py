"""Projected sign-gradient ascent: FGSM, R-FGSM, BIM, MIM and PGD are choices of its parts."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attack, Attacked, ThreatModel, judged, loss_gradient
from evaluators.attacks.losses import Loss, plain
from evaluators.attacks.starts import climb_from
from evaluators.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class Ascent(Attack):
    """One gradient attack; calling it attacks a batch.

    Attributes:
        steps: gradient steps, >= 0; none changes nothing.
        step_size: length of a step as a share of ε.
        start: the image itself, a uniform draw from the ball, or every pixel ε/2 up or down.
        decay: how much of the last step's direction the next one keeps; 0 keeps none. Each gradient counts divided by
            its image's mean absolute value.
        restarts: independent starts; only what still stands is attacked again.
        loss: what is climbed on the attacked model itself; `craft` climbs the source's own.
    """

    steps: int
    step_size: float = 0.25
    start: Literal["clean", "uniform", "signs"] = "clean"
    decay: float = 0.0
    restarts: int = 1
    loss: Loss = plain

    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place; each step is told to its `record`.

        The model decides at every step whether an image has fallen and leaves the batch; one that stands keeps its
        iterate of highest loss.
        """

        def begin() -> Tensor:
            return self.begin(outcome.origin, ball, threat.epsilon, generator)

        def climb(outcome: Attacked, labels: Tensor, start: Tensor) -> None:
            ball = Ball.around(outcome.origin, threat.epsilon)
            _Run(model, labels, outcome, ball, self.loss).climb(self, threat.epsilon, start)

        ball = Ball.around(outcome.origin, threat.epsilon)
        climb_from(self.restarts if self.steps else 0, outcome, labels, begin, climb)

    def craft(
        self, source: Ensemble, origin: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator
    ) -> Tensor:
        """Climb the loss of a source to the last step, whether the source falls or not; for use on another model.

        Returns: the last iterate of the start that got highest on the source, as papers transfer it; `origin` itself
            without steps. The starts and steps are those of an attack on the source.
        """
        ball, crafted = Ball.around(origin, epsilon), origin
        highest = torch.full(labels.shape, -torch.inf, device=labels.device)
        for _ in range(self.restarts if self.steps else 0):
            iterate, direction = self.begin(origin, ball, epsilon, generator), torch.zeros_like(origin)
            for _ in range(self.steps):
                iterate, direction = self.move(
                    iterate, loss_gradient(source, iterate, labels), direction, ball, epsilon
                )
            with torch.no_grad():
                loss = source.loss(source.member_logits(iterate), labels)
            crafted = torch.where((loss > highest).view(-1, 1, 1, 1), iterate, crafted)
            highest = highest.maximum(loss)
        return crafted

    def begin(self, origin: Tensor, ball: Ball, epsilon: float, generator: torch.Generator) -> Tensor:
        """The iterate of a new start; it draws even where it starts from the image, so that all attacks draw alike."""
        noise = 2 * torch.rand(origin.shape, generator=generator, device=origin.device) - 1
        match self.start:
            case "clean":
                return origin
            case "uniform":
                return ball.project(origin + epsilon * noise)
            case "signs":  # of a normal draw, which those of a uniform one in [-1, 1) are
                return ball.project(origin + epsilon * torch.where(noise < 0, -0.5, 0.5))

    def move(
        self, iterate: Tensor, gradient: Tensor, direction: Tensor, ball: Ball, epsilon: float
    ) -> tuple[Tensor, Tensor]:
        """One step: the next iterate, and the direction it went."""
        direction = self.decay * direction + _normalised(gradient) if self.decay else gradient
        return ball.project(iterate + self.step_size * epsilon * direction.sign()), direction


@dataclass
class _Run:
    """One start of an attack on the images that still stand."""

    model: Ensemble
    labels: Tensor
    outcome: Attacked
    ball: Ball
    loss: Loss

    def climb(self, attack: Ascent, epsilon: float, start: Tensor) -> None:
        standing = self.outcome.standing
        ball, iterate = self.ball[standing], start[standing]
        direction = torch.zeros_like(iterate)
        for step in range(attack.steps + 1):
            seen = judged(self.model, iterate, self.labels[standing], self.loss, final=step == attack.steps)
            self.outcome.take(iterate, standing, seen)
            kept = self.outcome.left(standing, seen.fallen)
            if seen.gradient is None or not len(kept):
                return
            gradient = seen.gradient
            if len(kept) < len(standing):
                standing, ball, iterate = standing[kept], ball[kept], iterate[kept]
                gradient, direction = gradient[kept], direction[kept]
            iterate, direction = attack.move(iterate, gradient, direction, ball, epsilon)


def _normalised(gradient: Tensor) -> Tensor:
    """Each image's gradient by its mean absolute value; one that vanishes stays zero."""
    scale = gradient.abs().flatten(1).mean(1).clamp_min(torch.finfo(gradient.dtype).tiny)
    return gradient / scale.view(-1, 1, 1, 1)
