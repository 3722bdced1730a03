"""One attack at many strengths, for the price of one clean pass and one gradient."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attack, Attacked, ThreatModel, loss_gradient
from evaluators.attacks.noise import Noise
from evaluators.base import Threat
from evaluators.ensemble import Ensemble


def broken_at(
    attack: Attack,
    model: Ensemble,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    generator: torch.Generator,
    where: Threat = "raw",
) -> dict[float, Tensor]:
    """Which images the attack breaks at each ε, by ε. Several ε are for noise and for FGSM of whole steps alone."""
    if len(epsilons) == 1:
        threat = ThreatModel(epsilon=epsilons[0], where=where)
        return {epsilons[0]: attack(model, images, labels, threat, generator).broken}
    if isinstance(attack, Noise):
        return noise_sweep(attack, model, images, labels, epsilons, generator, where)
    return fgsm_sweep(model, images, labels, epsilons, where)


def fgsm_sweep(
    model: Ensemble, images: Tensor, labels: Tensor, epsilons: Iterable[float], where: Threat = "raw"
) -> dict[float, Tensor]:
    """Which images FGSM breaks at each ε, by ε; its direction does not depend on ε and is computed once."""
    outcome = _untouched(model, images, labels, where)
    standing = outcome.standing
    kept = outcome.origin[standing]
    direction = loss_gradient(model, kept, labels[standing]).sign()
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
    clean, broken = _untouched(model, images, labels, where), {}
    for epsilon in epsilons:
        outcome = clean.copy()
        noise.shake(model, labels, outcome, epsilon, generator.clone_state())
        broken[epsilon] = outcome.broken
    return broken


def _untouched(model: Ensemble, images: Tensor, labels: Tensor, where: Threat) -> Attacked:
    return Attacked.untouched(model, ThreatModel(epsilon=0.0, where=where).origin(model, images), labels)
