"""One attack at many strengths, for the price of one gradient."""

from collections.abc import Iterable

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.attacks.noise import Noise
from evaluators.base import Threat
from evaluators.ensemble import Ensemble


def fgsm_sweep(
    model: Ensemble, images: Tensor, labels: Tensor, epsilons: Iterable[float], where: Threat = "raw"
) -> dict[float, Tensor]:
    """Which images FGSM breaks at each ε, by ε; its direction does not depend on ε and is computed once."""
    origin = ThreatModel(epsilon=0.0, where=where).origin(model, images)
    outcome = Attacked.untouched(model, origin, labels)
    standing = outcome.standing
    kept, direction = origin[standing], _direction(model, origin[standing], labels[standing])
    broken = {}
    for epsilon in epsilons:
        moved = Ball.around(kept, epsilon).project(kept + epsilon * direction)
        broken[epsilon] = outcome.broken.clone()
        broken[epsilon][standing] = model(moved) != labels[standing]
    return broken


def noise_sweep(
    noise: Noise,
    model: Ensemble,
    images: Tensor,
    labels: Tensor,
    epsilons: Iterable[float],
    generator: torch.Generator,
    where: Threat = "raw",
) -> dict[float, Tensor]:
    """Which images the noise breaks at each ε, by ε; the same draws, scaled. The generator stays where it was."""
    return {
        epsilon: noise(model, images, labels, ThreatModel(epsilon=epsilon, where=where), generator.clone_state()).broken
        for epsilon in epsilons
    }


@torch.enable_grad()
def _direction(model: Ensemble, images: Tensor, labels: Tensor) -> Tensor:
    """The sign of the loss's gradient at each image."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model.loss(model.member_logits(images), labels).sum(), images)
    return gradient.sign()
