"""Starting a low-precision network from its trained full-precision twin."""

import torch

from evaluators.networks.build import Network


@torch.no_grad()
def start_from(network: Network, twin: Network) -> None:
    """Copy the twin's float weights, biases and batch norm; what only the network has (clips, shifts) stays.

    Multi-bit layers take the greedy residual of the twin's weights as their bases.
    """
    for (_, layer), (_, source) in zip(network.layers(), twin.layers(), strict=True):
        layer.weight.load_float(source.weight.float_weight())
        if layer.bias is not None and source.bias is not None:
            layer.bias.copy_(source.bias)
    norms = {name: value for name, value in twin.state_dict().items() if _is_norm(twin, name)}
    network.load_state_dict(norms, strict=False)


def _is_norm(network: Network, name: str) -> bool:
    parent = network.get_submodule(name.rpartition(".")[0])
    return isinstance(parent, torch.nn.modules.batchnorm._BatchNorm)
