"""What is diagnosed: a model, the images it is shown, and how it is attacked."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.attacks.catalogue import build
from evaluators.attacks.judging import BATCH
from evaluators.attacks.spec import AttackSpec
from evaluators.base import Threat, check_range
from evaluators.diagnostics.catalogue import ALPHAS, LARGEST_ALPHA, SMALLEST_ALPHA
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from space.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a candidate is attacked while it is diagnosed.

    Attributes:
        epsilon: largest change of a pixel, in [0, 1] of the pixel range.
        threat: where the attacker stands.
        steps: gradient steps of PGD, >= 0.
        restarts: random starts of PGD, >= 1; `steps` makes do with one.
        alphas: step sizes that `steps` compares, as shares of ε.
        seed: of everything drawn.
    """

    epsilon: float
    threat: Threat = "raw"
    steps: int = 20
    restarts: int = 1
    alphas: tuple[float, ...] = ALPHAS
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.alphas:
            raise UserError("step sizes", got="none", expected="at least one share of epsilon")
        for alpha in self.alphas:
            check_range("step size, a share of epsilon,", alpha, SMALLEST_ALPHA, LARGEST_ALPHA)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A trained model, the images it is shown, and how it is attacked.

    Attributes:
        model: frozen, in eval mode.
        images: N×C×H×W, float32 in [0, 1], N >= 1.
        labels: N, int64, on the same device.
        settings: how it is attacked.
    """

    model: Ensemble
    images: Tensor
    labels: Tensor
    settings: Settings

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels, in their order, in the batches that evaluations use."""
        for start in range(0, len(self.labels), BATCH):
            yield self.images[start : start + BATCH], self.labels[start : start + BATCH]

    def threat(self, epsilon: float | None = None) -> ThreatModel:
        """The threat at this radius, that of the settings if left out."""
        radius = self.settings.epsilon if epsilon is None else epsilon
        return ThreatModel(epsilon=radius, where=self.settings.threat)

    def noise(self, attack: str, batch: int) -> torch.Generator:
        """What an attack draws from for a batch: the stream that evaluations use, so that their numbers agree."""
        return stream(self.settings.seed, "attack", attack, str(batch), device=self.images.device)

    def attack(self, name: str, *, steps: int | None = None) -> Attack:
        """The attack of this name as evaluations use it, in as many steps as the settings say if left out."""
        chosen = self.settings
        spec = AttackSpec(
            name=name,
            steps=chosen.steps if steps is None else steps,
            restarts=chosen.restarts if name == "pgd" else 1,
        )
        return build(spec)

    def attacked(self, name: str, attack: Attack, epsilon: float | None = None) -> Iterator[Attacked]:
        """The outcome of an attack, batch by batch; `name` names its random stream."""
        for batch, (images, labels) in enumerate(self.batches()):
            yield attack(self.model, images, labels, self.threat(epsilon), self.noise(name, batch))
