"""Training recipes by name, and the optimizer that suits each precision."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from evaluators.networks.build import Network
from space import Precision


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long-lived choices of a training are made.

    Attributes:
        batch: images a step.
        rate: peak learning rate of Adam.
        decay: decoupled weight decay of latent weights of real and fixed-point networks.
        warmup: share of the steps in which the rate rises linearly; it falls as a cosine after.
        augment: whether images are moved (and mirrored, in colour) at random.
        starts_from_twin: whether low-precision members start from their full-precision twin.
        float_epochs: what a full-precision network's epochs are multiplied by: its low-precision
            followers train after their twin has, and would otherwise be given twice its time.
        temperature: of the twin's probabilities where a member learns from its twin.
        twin_share: weight of the twin's loss beside cross-entropy, in [0, 1].
    """

    batch: int = 64
    rate: float = 2e-3
    decay: float = 5e-4
    warmup: float = 0.2
    augment: bool = True
    starts_from_twin: bool = False
    float_epochs: int = 1
    temperature: float = 2.0
    twin_share: float = 0.0


RECIPES: dict[str, Recipe] = {
    "standard": Recipe(),
    "warm": Recipe(starts_from_twin=True, float_epochs=2),
}
"""Every recipe by name; `space.RECIPES` lists the same names.

`standard` trains every member from scratch, since that orders short trainings most like long ones; `warm` reaches
higher accuracy in as many epochs of its own (docs/proxies.md has both measured, and learning from the twin as well).
"""


def optimizer_for(network: Network, precision: Precision, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam with decoupled decay on real and fixed-point weights only.

    Signs do not see a weight's size: decay would only make latent weights flip more easily, so binary precisions
    get none, as scales, shifts, clips, biases and batch norm never do (Liu et al. 2021, Hubara et al. 2016).
    """
    decay = 0.0 if precision.binary else recipe.decay
    decayed = list(_latents(network))
    plain = [p for p in network.parameters() if all(p is not latent for latent in decayed)]
    groups = [{"params": decayed, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)


def _latents(network: Network) -> Iterator[nn.Parameter]:
    for _, layer in network.layers():
        yield layer.weight.latent
