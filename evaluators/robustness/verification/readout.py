"""A network whose classifier is replaced by one that tells a single image from its neighbours."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from evaluators.networks.build import Network

BATCH = 256
CLOSENESS = 0.25
"""Where the threshold lies on the way from the last inner point to the edge point. Further out, wide binary networks,
whose features at a corner are partly chance, fail the test of an attack that leaves nothing of them standing."""
SHRINKAGE = 1e-3
"""Weight of half the squared norm of the direction, in units of standardised features, lest it grow without end."""
ITERATIONS = 50


@dataclass(frozen=True)
class Discriminator:
    """Tells features apart: (f - centre) · direction > 0 on the far side.

    Attributes:
        direction, centre: F floats each.
    """

    direction: Tensor
    centre: Tensor

    @classmethod
    def between(cls, inner: Tensor, outer: Tensor) -> Self | None:
        """Logistic regression between n×F inner features and F outer ones, both sides of equal weight.

        Returns: None where no plane was found that has them on its two sides.
        """
        points = inner.double()
        mean, scale = points.mean(0), points.std(0).mean().clamp_min(1e-12)
        weight = _fit((points - mean) / scale, (outer.double() - mean) / scale) / scale
        last, level = (points @ weight).max(), outer.double() @ weight
        if not level > last:
            return None
        threshold = last + CLOSENESS * (level - last)
        centre = mean + (threshold - mean @ weight) / (weight @ weight) * weight
        return cls(weight.float(), centre.float())

    def __call__(self, features: Tensor) -> Tensor:
        """N×F features in; N floats out, > 0 on the far side."""
        return (features - self.centre) @ self.direction


class Readout(nn.Module):
    """Two logits: near and far, ± half the discriminator's value times a factor."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminator: Discriminator | None = None
        self.factor = 1.0
        self.seen: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """N×features in, N×2 out; what came in is kept in `seen` while there is no discriminator."""
        features = features.flatten(1)
        if self.discriminator is None:
            self.seen = features
            return features[:, :2]
        far = self.factor / 2 * self.discriminator(features)
        return torch.stack([-far, far], 1)


class Probe:
    """A copy of a network with a `Readout` in place of its last layer."""

    def __init__(self, member: Network) -> None:
        self.network, self.readout = deepcopy(member), Readout()
        name, self.classifier = list(self.network.layers())[-1]
        parent, _, own = name.rpartition(".")
        self.network.body.get_submodule(parent).add_module(own, self.readout)

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """What the last layer computes with: N×F floats."""
        self.readout.discriminator = None
        found = []
        for part in torch.split(images, BATCH):
            self.network(part)
            found.append(self.readout.seen)
        self.readout.seen = None
        return torch.cat([one for one in found if one is not None])

    @torch.no_grad()
    def tell(self, inner: Tensor, outer: Tensor) -> bool:
        """Have the network tell inner features (n×F, the image's own first) from outer ones (F); False if it cannot.

        The logits of the image lie as far apart as its largest and smallest did, so that an attack on them meets the
        saturation that it meets in the network itself.
        """
        discriminator = Discriminator.between(inner, outer)
        if discriminator is None:
            return False
        apart = discriminator(torch.cat([inner, outer[None]])) > 0
        self.readout.discriminator = discriminator
        self.readout.factor = float(self._range(inner[:1]) / -discriminator(inner[:1]).clamp_max(-1e-12))
        return bool(apart[-1]) and not bool(apart[:-1].any())

    def _range(self, features: Tensor) -> Tensor:
        logits = functional.linear(features, self.classifier.effective_weight().flatten(1), self.classifier.bias)
        return logits.amax(1) - logits.amin(1)


def _fit(inner: Tensor, outer: Tensor) -> Tensor:
    """The direction that logistic regression finds: F floats."""
    weight = torch.zeros(inner.shape[1] + 1, dtype=inner.dtype, device=inner.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        direction, bias = weight[:-1], weight[-1]
        wrong = functional.softplus(inner @ direction + bias).mean() + functional.softplus(-outer @ direction - bias)
        total: Tensor = wrong + SHRINKAGE / 2 * direction.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach()[:-1]
