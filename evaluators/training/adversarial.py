"""Training on attacked images, and a guard against learning the attack instead of the task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.training.pausing import below, under

COLLAPSE = 0.2
"""How far accuracy under PGD may fall in an epoch before a training ends (Wong, Rice, Kolter 2020, their code)."""


@dataclass(frozen=True, kw_only=True)
class Crafting:
    """How attacked images are made from training images, in the state that the network is training in.

    Attributes:
        start: the image itself, a uniform draw from the ball, or the sign of a normal draw.
        start_size: length of the start, as a share of ε.
        steps: gradient steps.
        step_size: length of a step, as a share of ε.
        clean_share: weight of the clean images in the loss, in [0, 1].
    """

    start: Literal["clean", "uniform", "normal"] = "clean"
    start_size: float = 1.0
    steps: int = 1
    step_size: float = 1.0
    clean_share: float = 0.0


def craft(
    network: nn.Module, images: Tensor, labels: Tensor, crafting: Crafting, epsilon: float, generator: torch.Generator
) -> Tensor:
    """Attacked images, within `epsilon` of `images` and in [0, 1]; parameters get no gradient."""
    change = epsilon * crafting.start_size * _start(images, crafting.start, generator)
    for _ in range(crafting.steps):
        attacked = (images + change).clamp(0, 1).requires_grad_()
        loss = functional.cross_entropy(network(attacked).float(), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, attacked)
        change = attacked.detach() - images + epsilon * crafting.step_size * gradient.sign()
        change = change.clamp(-epsilon, epsilon)
    return (images + change).clamp(0, 1)


def _start(images: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    if kind == "uniform":
        return 2 * torch.rand(images.shape, generator=generator, device=images.device) - 1
    if kind == "normal":
        return torch.randn(images.shape, generator=generator, device=images.device).sign()
    return torch.zeros_like(images)


PGD5 = Crafting(start="uniform", steps=5, step_size=0.25)
"""What the guard attacks with."""


class Guard:
    """Watches accuracy under PGD-5 on images that are not trained on.

    Attributes:
        images, labels: the held batch.
    """

    def __init__(self, images: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator) -> None:
        self.images, self.labels = images, labels
        self._epsilon, self._generator = epsilon, generator
        self._best = 0.0
        self._kept: dict[str, Tensor] = {}

    def collapsed(self, network: nn.Module) -> bool:
        """Whether accuracy fell by COLLAPSE below its best; then the state of the last sound epoch is back."""
        accuracy = self._accuracy(network)
        if self._kept and accuracy < self._best - COLLAPSE:
            network.load_state_dict(self._kept)
            return True
        self._best = max(self._best, accuracy)
        self._kept = {name: value.clone() for name, value in network.state_dict().items()}
        return False

    def state(self) -> dict[str, Tensor]:
        """What it remembers: the best accuracy, and the weights of the last sound epoch."""
        return {"best": torch.tensor(self._best, dtype=torch.float64), **under("kept", self._kept)}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Remember what `state` gave, on the device of the held batch."""
        self._best = float(state["best"])
        self._kept = {name: value.to(self.images.device) for name, value in below("kept", state).items()}

    def _accuracy(self, network: nn.Module) -> float:
        network.eval()
        attacked = craft(network, self.images, self.labels, PGD5, self._epsilon, self._generator)
        with torch.no_grad():
            hits = (network(attacked).argmax(1) == self.labels).float().mean()
        network.train()
        return float(hits)
