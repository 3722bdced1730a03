"""Training recipes by name, and the optimizer that suits each precision."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from evaluators.networks.build import Network
from evaluators.training.adversarial import Crafting
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
        crafting: how training images are attacked, with the protocol's ε; None for clean training.
        guarded: whether a part of the training images watches over a collapse under PGD.
        penalty: λ of λ·‖dL/dx‖², the squared norm of an image's loss gradient.
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
    crafting: Crafting | None = None
    guarded: bool = False
    penalty: float = 0.0


RECIPES: dict[str, Recipe] = {
    "standard": Recipe(),
    "warm": Recipe(starts_from_twin=True, float_epochs=2),
    "fgsm": Recipe(crafting=Crafting(clean_share=0.5)),
    "rfgsm": Recipe(crafting=Crafting(start="normal", start_size=0.5, step_size=0.5, clean_share=0.5)),
    "fastat": Recipe(crafting=Crafting(start="uniform", step_size=1.25), warmup=0.5, guarded=True),
    "pgd": Recipe(crafting=Crafting(start="uniform", steps=7, step_size=0.25)),
    "gradreg": Recipe(penalty=100.0),
}
"""Every recipe by name; `space.RECIPES` lists the same names.

`standard` trains every member from scratch, since that orders short trainings most like long ones; `warm` reaches
higher accuracy in as many epochs of its own (docs/proxies.md has both measured, and learning from the twin as well).

Adversarial training, at the protocol's ε: `fgsm` on as many clean as attacked images (Goodfellow et al. 2015, as EMPIR
compares with), `rfgsm` likewise from a random start of ε/2 (Tramèr et al. 2018, Panda et al. 2019), `fastat` from a
uniform start with a step of 1.25 ε, a rate that peaks half-way and a guard (Wong et al. 2020), `pgd` with 7 steps of
ε/4 (Madry et al. 2018). `gradreg` penalises the gradient of the loss (Ross, Doshi-Velez 2018; λ of EMPIR).
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
