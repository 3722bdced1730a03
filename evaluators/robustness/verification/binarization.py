"""A test of the attack itself (Zimmermann et al. 2022): does it find what is there by construction?

The last layer of a network is replaced by one that tells an image and its near neighbours from one point on the edge
of the ball. That point is an adversarial example for sure, so an attack that finds none has failed, and its failure on
the network itself says nothing about robustness.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.data.batches import to_float
from evaluators.data.dataset import Split
from evaluators.ensemble import Ensemble
from evaluators.networks.build import Network
from evaluators.robustness.stages import Stage
from evaluators.robustness.verification.readout import Probe
from evaluators.seeds import stream
from evaluators.votes import MeanVote

INNER_SHARE = 0.95
"""Radius of the inner points as a share of ε."""
DRAWS = 200
"""Images of chance, which the attack must beat."""

Stages = Callable[[Ensemble, Tensor], Iterable[Stage]]
"""The parts of an attack on a model, one after the other; an image (1×C×H×W) shows how it behaves."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of the test.

    Attributes:
        images: that a readout could be made for; an image whose edge point looks like an inner one has none.
        by_attack, by_chance: of these, how many the attack, and uniform draws, found an adversarial example for.
    """

    images: int
    by_attack: int
    by_chance: int

    @property
    def rate(self) -> float | None:
        """Success rate of the attack; None without images."""
        return self.by_attack / self.images if self.images else None

    @property
    def chance(self) -> float | None:
        """Success rate of uniform draws; None without images."""
        return self.by_chance / self.images if self.images else None


@dataclass(frozen=True, kw_only=True)
class Binarization:
    """The test, for one attack.

    Attributes:
        stages: the attack.
        threat: under which it acts.
        seed: of the inner and edge points, and of the attack.
        inner: points beside the image itself that the readout calls near, >= 1.
    """

    stages: Stages
    threat: ThreatModel
    seed: int = 0
    inner: int = 999

    def __call__(self, member: Network, split: Split) -> Found:
        """Test the attack on a network, image by image; the network stays as it is."""
        tried = [found for found in self._tried(Probe(member), split) if found is not None]
        by_attack, by_chance = (sum(found[index] for found in tried) for index in (0, 1))
        return Found(images=len(tried), by_attack=by_attack, by_chance=by_chance)

    def _tried(self, probe: Probe, split: Split) -> Iterator[tuple[bool, bool] | None]:
        model = Ensemble([probe.network], MeanVote())
        for number, image in enumerate(to_float(split.images)):
            origin = self.threat.origin(model, image[None])
            draws = stream(self.seed, "binarization", str(number), device=image.device)
            if not self._construct(probe, origin, draws):
                yield None
                continue
            yield self._attacked(model, origin, draws), bool(model(self._drawn(origin, DRAWS, 1.0, draws)).any())

    def _construct(self, probe: Probe, origin: Tensor, draws: torch.Generator) -> bool:
        """Make the readout of an image (1×C×H×W); says whether there is one."""
        epsilon = self.threat.epsilon
        signs = torch.rand(origin.shape, generator=draws, device=origin.device) < 0.5
        corner = Ball.around(origin, epsilon).project(origin + torch.where(signs, -epsilon, epsilon))
        inner = self._drawn(origin, self.inner, INNER_SHARE, draws)
        features = probe.features(torch.cat([origin, inner, corner]))
        return probe.tell(features[:-1], features[-1])

    def _drawn(self, origin: Tensor, count: int, share: float, draws: torch.Generator) -> Tensor:
        """Uniform draws around an image, within a share of ε."""
        radius = share * self.threat.epsilon
        noise = 2 * torch.rand((count, *origin.shape[1:]), generator=draws, device=origin.device) - 1
        return Ball.around(origin, radius).project(origin + radius * noise)

    def _attacked(self, model: Ensemble, origin: Tensor, draws: torch.Generator) -> bool:
        """Whether the attack finds anything on the far side."""
        near = torch.zeros(1, dtype=torch.int64, device=origin.device)
        outcome = Attacked.untouched(model, origin, near)
        for stage in self.stages(model, origin):
            stage.attack.go_on(outcome, stage.model, near, self.threat, draws)
            if outcome.broken:
                return True
        return False
