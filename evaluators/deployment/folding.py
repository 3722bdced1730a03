"""From a trained network to the same function in ordinary operations, batch norm folded away."""

import copy
from collections.abc import Iterator
from itertools import pairwise

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from evaluators.deployment.operators import operator_of
from evaluators.deployment.steps import Affine, activated
from evaluators.networks.resnet import Block
from evaluators.quantizers.layers import QuantLayer


def folded(body: nn.Module) -> nn.Module:
    """A copy of a network's body, every module in its place: layers with constant weights, norms as affine maps.

    An affine map and the step behind it become one comparison, which stands where the norm stood. Values are those of
    the network in eval mode, up to rounding; nothing in it has parameters or gradients of its own.

    Raises: UserError for a layer of an unknown kind.
    """
    body = copy.deepcopy(body)
    for owner, norm, layer in list(_neighbours(body)):
        _merge(owner, norm, layer)
    return _plain(body).eval()


def _neighbours(body: nn.Module) -> Iterator[tuple[nn.Module, str, QuantLayer]]:
    """Where a norm feeds one layer and nothing else: its owner, its name there, the layer."""
    for owner in body.modules():
        if isinstance(owner, nn.Sequential):
            parts = [(name, part) for name, part in owner.named_children() if not isinstance(part, nn.Flatten)]
            for (name, norm), (_, layer) in pairwise(parts):
                if isinstance(norm, _BatchNorm) and isinstance(layer, QuantLayer):
                    yield owner, name, layer
        elif isinstance(owner, Block) and not owner.binary:  # a binary one adds its shortcut in between
            yield owner, "norm1", owner.conv2


def _merge(owner: nn.Module, norm: str, layer: QuantLayer) -> None:
    """Let one module do what a norm and the layer's activation did, where the activation is a step."""
    merged = activated(layer.activation, Affine.of(getattr(owner, norm)))
    if merged is not None:
        setattr(owner, norm, merged)
        layer.activation = nn.Identity()


def _plain(module: nn.Module) -> nn.Module:
    """The module without norms and trained layers; others are changed in place."""
    if isinstance(module, QuantLayer):
        return operator_of(module, activated(module.activation) or module.activation)
    if isinstance(module, _BatchNorm):
        return Affine.of(module)
    for name, child in module.named_children():
        setattr(module, name, _plain(child))
    return module
