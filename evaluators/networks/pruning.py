"""Removing weights or whole channels from a full-precision network, the smallest first.

Which channels go is a matter of trained weights; how many go, layer by layer, is known before: every layer keeps the
same share, as far as whole channels allow. AMC (He et al. 2018) has an agent choose the shares; here the search does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evaluators.networks.resnet import Block
from evaluators.networks.shapes import layer_sizes
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.pruned import PrunedWeight, largest
from space import UserError

STEPS = 1024
"""Shares of channels are tried in steps of one in so many."""


@dataclass(frozen=True)
class Joint:
    """Channels that one layer makes, norms pass on, and one other layer takes; no shortcut carries them."""

    producer: QuantLayer
    norms: tuple[_BatchNorm, ...]
    consumer: QuantLayer

    @property
    def width(self) -> int:
        """How many channels there are."""
        return self.producer.weight.shape[0]


def joints(body: nn.Module) -> list[Joint]:
    """Every place where channels can go: between the layers of a chain, and inside the blocks of a ResNet."""
    found: list[Joint] = []
    last: QuantLayer | None = None
    norms: list[_BatchNorm] = []
    for module in body.children():
        if isinstance(module, Block):
            found.append(Joint(module.conv1, (module.norm1,), module.conv2))
            last = None
        elif isinstance(module, QuantLayer):
            if last is not None:
                found.append(Joint(last, tuple(norms), module))
            last, norms = module, []
        elif isinstance(module, _BatchNorm):
            norms.append(module)
    return found


def prune_weights(body: nn.Module, percent: int) -> None:
    """Let every layer hold weights of which `percent` % are removed once float weights are loaded."""
    for layer in body.modules():
        if isinstance(layer, QuantLayer):
            layer.weight = PrunedWeight(tuple(layer.weight.shape), percent)


def widths(body: nn.Module, shape: tuple[int, int, int], percent: int) -> tuple[int, ...]:
    """How many channels each joint keeps so that at least `percent` % of the multiply-accumulates are gone, barely.

    All joints keep the same share; what rounding leaves over goes channel by channel, the last joints first.
    Raises UserError where one channel each is still too much.
    """
    places = joints(body)
    macs = _Macs.of(body, shape, places)
    full = [place.width for place in places]
    limit = macs.total(full) * (100 - percent) / 100
    if not places or macs.total([1] * len(full)) > limit:
        expected = "a smaller percent" if places else "a network with layers in a row"
        raise UserError("channels cannot be pruned that far", got=f"{percent} %", expected=expected)
    above = full
    for step in range(STEPS, -1, -1):
        kept = [max(1, round(width * step / STEPS)) for width in full]
        if macs.total(kept) <= limit:
            return tuple(_trimmed(above, macs, limit))
        above = kept
    raise AssertionError("one channel each was enough")


def narrow(joint: Joint, kept: Tensor) -> None:
    """Keep the channels of these indices and no others, in place."""
    repeats = joint.consumer.weight.shape[1] // joint.width
    inputs = (kept[:, None] * repeats + torch.arange(repeats, device=kept.device)).flatten()
    _select(joint.producer, 0, kept)
    _select(joint.consumer, 1, inputs)
    for norm in joint.norms:
        _select_norm(norm, kept)


def narrow_by_magnitude(body: nn.Module, counts: Sequence[int]) -> None:
    """Keep in each joint so many channels, those whose filters have the largest absolute sums (Li et al. 2017)."""
    for joint, count in zip(joints(body), counts, strict=True):
        sums = joint.producer.weight.float_weight().abs().flatten(1).sum(1)
        narrow(joint, largest(sums, count).nonzero().squeeze(1))


def narrow_blindly(body: nn.Module, counts: Sequence[int]) -> None:
    """Keep in each joint its first channels: the shapes that trained values can be loaded into."""
    for joint, count in zip(joints(body), counts, strict=True):
        narrow(joint, torch.arange(count, device=joint.producer.weight.latent.device))


@dataclass(frozen=True)
class _Macs:
    """Multiply-accumulates of every layer at full width, and the joints before and after it."""

    layers: tuple[tuple[int, int | None, int | None], ...]
    full: tuple[int, ...]

    @classmethod
    def of(cls, body: nn.Module, shape: tuple[int, int, int], places: Sequence[Joint]) -> "_Macs":
        before = {place.consumer: index for index, place in enumerate(places)}
        after = {place.producer: index for index, place in enumerate(places)}
        layers = tuple(
            (outputs * layer.weight.shape[1:].numel(), before.get(layer), after.get(layer))
            for layer, (_, outputs) in layer_sizes(body, shape).items()
        )
        return cls(layers, tuple(place.width for place in places))

    def total(self, kept: Sequence[int]) -> int:
        """Multiply-accumulates of the whole network with so many channels in each joint."""
        return sum(macs * self._part(kept, one) * self._part(kept, two) for macs, one, two in self._divided())

    def _divided(self) -> Iterator[tuple[int, int | None, int | None]]:
        """Per layer its multiply-accumulates for one channel of each joint it touches."""
        for macs, before, after in self.layers:
            channels = (1 if before is None else self.full[before]) * (1 if after is None else self.full[after])
            yield macs // channels, before, after

    @staticmethod
    def _part(kept: Sequence[int], joint: int | None) -> int:
        return 1 if joint is None else kept[joint]


def _trimmed(kept: Sequence[int], macs: _Macs, limit: float) -> list[int]:
    """One channel less in turn, from the last joint on, until the limit is met."""
    trimmed = list(kept)
    for joint in cycle(reversed(range(len(trimmed)))):
        if macs.total(trimmed) <= limit:
            break
        trimmed[joint] = max(1, trimmed[joint] - 1)
    return trimmed


def _select(layer: QuantLayer, axis: int, index: Tensor) -> None:
    latent = layer.weight.latent.detach()
    layer.weight.latent = nn.Parameter(latent.index_select(axis + 1, index))  # the first axis counts bases


def _select_norm(norm: _BatchNorm, index: Tensor) -> None:
    norm.num_features = len(index)
    for name, value in list(norm.named_parameters()):
        setattr(norm, name, nn.Parameter(value.detach().index_select(0, index)))
    for name in ("running_mean", "running_var"):
        setattr(norm, name, getattr(norm, name).index_select(0, index))
