"""Starting a network from a trained one of the same topology."""

from copy import deepcopy

import torch

from evaluators.networks.build import Network
from evaluators.networks.pruning import joints, narrow_by_magnitude


def inherit(network: Network, trained: Network) -> None:
    """Take all that `trained` has and `network` can hold.

    From a network alike in everything, its whole state. From a full-precision one, float weights, biases and batch
    norm, the channels with the largest filters where `network` has fewer; what only `network` has (clips, shifts)
    stays, and multi-bit layers take the greedy residual of the weights as their bases.
    """
    if _alike(network, trained):
        network.load_state_dict(trained.state_dict())
    else:
        start_from(network, _narrowed(trained, network))


@torch.no_grad()
def start_from(network: Network, trained: Network) -> None:
    """Copy float weights, biases and batch norm of a full-precision network of the same widths."""
    for (_, layer), (_, source) in zip(network.layers(), trained.layers(), strict=True):
        layer.weight.load_float(source.weight.float_weight())
        if layer.bias is not None and source.bias is not None:
            layer.bias.copy_(source.bias)
    norms = {name: value for name, value in trained.state_dict().items() if _is_norm(trained, name)}
    network.load_state_dict(norms, strict=False)


def _alike(network: Network, trained: Network) -> bool:
    ours, theirs = network.state_dict(), trained.state_dict()
    same = ours.keys() == theirs.keys() and all(value.shape == theirs[name].shape for name, value in ours.items())
    return same and all(
        type(layer.weight) is type(other.weight)
        for (_, layer), (_, other) in zip(network.layers(), trained.layers(), strict=True)
    )


def _narrowed(trained: Network, network: Network) -> Network:
    """The trained network with as many channels in each joint as `network` has."""
    counts = [joint.width for joint in joints(network.body)]
    if counts == [joint.width for joint in joints(trained.body)]:
        return trained
    copy = deepcopy(trained)
    narrow_by_magnitude(copy.body, counts)
    return copy


def _is_norm(network: Network, name: str) -> bool:
    parent = network.get_submodule(name.rpartition(".")[0])
    return isinstance(parent, torch.nn.modules.batchnorm._BatchNorm)
