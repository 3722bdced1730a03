"""Training recipes by name, and the optimizer that suits each precision."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from evaluators.networks.build import Network
from evaluators.training.adversarial import Crafting
from space import AnyPrecision


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long-lived choices of a training are made.

    Attributes:
        batch: images a step.
        rate: peak learning rate of Adam.
        decay: decoupled weight decay of latent weights of real and fixed-point networks.
        warmup: share of the steps in which the rate rises linearly.
        fall: how the rate falls to zero after.
        augment: whether images are moved (and mirrored, in colour) at random.
        starts_from_twin: whether low-precision members start from their full-precision twin.
        retrains: recipe of the trained network that this one goes on from, in the same precision; "" for none.
        float_epochs: what a full-precision network's epochs are multiplied by: its low-precision
            followers train after their twin has, and would otherwise be given twice its time.
        temperature: what logits are divided by where a teacher is learnt from, and where it is trained for that alone.
        teacher_share: weight of what a full-precision teacher says beside the labels, in [0, 1]: the twin that a member
            starts from, or a network trained for this alone, at the same temperature.
        crafting: how training images are attacked, with the protocol's ε; None for clean training.
        guarded: whether a part of the training images watches over a collapse under PGD.
        boundary_share: weight of images moved to the decision boundary in the loss, in [0, 1].
        penalty: λ of λ·‖dL/dx‖², the squared norm of an image's loss gradient.
    """

    batch: int = 64
    rate: float = 2e-3
    decay: float = 5e-4
    warmup: float = 0.2
    fall: Literal["cosine", "linear"] = "cosine"
    augment: bool = True
    starts_from_twin: bool = False
    retrains: str = ""
    float_epochs: int = 1
    temperature: float = 1.0
    teacher_share: float = 0.0
    crafting: Crafting | None = None
    guarded: bool = False
    boundary_share: float = 0.0
    penalty: float = 0.0


RECIPES: dict[str, Recipe] = {
    "standard": Recipe(),
    "warm": Recipe(starts_from_twin=True, float_epochs=2),
    "fgsm": Recipe(crafting=Crafting(clean_share=0.5)),
    "rfgsm": Recipe(crafting=Crafting(start="normal", start_size=0.5, step_size=0.5, clean_share=0.5)),
    "fastat": Recipe(crafting=Crafting(start="uniform", step_size=1.25), warmup=0.5, fall="linear", guarded=True),
    "pgd": Recipe(crafting=Crafting(start="uniform", steps=7, step_size=0.25)),
    "feedback": Recipe(retrains="standard", boundary_share=0.5),
    "distill": Recipe(temperature=100.0, teacher_share=1.0),
    "gradreg": Recipe(penalty=100.0),
}
"""Every recipe by name; `space.RECIPES` lists the same names.

`standard` trains every member from scratch, since that orders short trainings most like long ones; `warm` reaches
higher accuracy in as many epochs of its own (docs/proxies.md has both measured, and learning from the twin as well).

Adversarial training, at the protocol's ε: `fgsm` on as many clean as attacked images (Goodfellow et al. 2015, as EMPIR
compares with), `rfgsm` likewise from a random start of ε/2 (Tramèr et al. 2018, Panda et al. 2019), `fastat` from a
uniform start with a step of 1.25 ε, a rate that peaks half-way and a guard (Wong et al. 2020), `pgd` with 7 steps of
ε/4 (Madry et al. 2018).

`feedback` trains a `standard` network for as long again, on as many images as they are as moved to its own decision
boundary (Song, Fallon, Li 2020). `distill` learns the probabilities of a full-precision teacher, both at temperature
100 (defensive distillation, Papernot et al. 2016; T of EMPIR). `gradreg` penalises the gradient of the loss (Ross,
Doshi-Velez 2018; λ of EMPIR).
"""


def optimizer_for(network: Network, precision: AnyPrecision, recipe: Recipe) -> torch.optim.Optimizer:
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
