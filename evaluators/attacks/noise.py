"""Random noise: what a model must survive without any attacker."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class Noise(Attack):
    """Draws from the ball; an image falls if any of them breaks it. No gradient is taken.

    Attributes:
        kind: "uniform" in [-ε, ε], "gaussian" of standard deviation ε/2, cut to the ball, or "corners", every pixel
            at ±ε.
        draws: noisy copies of each image, >= 0; none changes nothing. What has fallen is not drawn again.
    """

    kind: Literal["uniform", "gaussian", "corners"]
    draws: int = 8

    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place.

        An image that stands keeps its draw of highest loss.
        """
        self.shake(model, labels, outcome, threat.epsilon, generator)

    @torch.no_grad()
    def shake(
        self, model: Ensemble, labels: Tensor, outcome: Attacked, epsilon: float, generator: torch.Generator
    ) -> None:
        """Draw around what an outcome starts from, and take in what falls or gets worse."""
        ball = Ball.around(outcome.origin, epsilon)
        for _ in range(self.draws):
            noise, standing = self._draw(outcome.origin, generator), outcome.standing
            if not len(standing):
                break
            noisy = ball[standing].project(outcome.origin[standing] + epsilon * noise[standing])
            logits = model.member_logits(noisy)
            fallen = model.predict(logits) != labels[standing]
            outcome.record(noisy, standing, fallen, model.loss(logits, labels[standing]))

    def _draw(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """One draw in shares of ε, for every image, so that none depends on what else has fallen."""
        if self.kind == "gaussian":
            return torch.randn(images.shape, generator=generator, device=images.device) / 2
        noise = 2 * torch.rand(images.shape, generator=generator, device=images.device) - 1
        return torch.where(noise < 0, -1.0, 1.0) if self.kind == "corners" else noise
