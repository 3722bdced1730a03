"""What goes into and out of every layer, for one image."""

import torch
from torch import Tensor, nn

from evaluators.quantizers.layers import QuantLayer


def layer_sizes(body: nn.Module, shape: tuple[int, int, int]) -> dict[QuantLayer, tuple[int, int]]:
    """Numbers of input and output values of every layer, in the order of its definition.

    Args:
        body: a topology in eval mode, with or without values: no image goes through it.
        shape: channels, height, width of an image.
    """
    layers = [module for module in body.modules() if isinstance(module, QuantLayer)]
    seen: dict[QuantLayer, tuple[int, int]] = {}
    hooks = [
        layer.register_forward_hook(lambda layer, given, out: seen.update({layer: (_values(given[0]), _values(out))}))
        for layer in layers
    ]
    with torch.no_grad():
        # The meta device would do as well, but on it PyTorch loads its compiler, which takes a second.
        body(torch.empty(0, *shape, device=layers[0].weight.latent.device))
    for hook in hooks:
        hook.remove()
    return {layer: seen[layer] for layer in layers}


def unfilled(network: nn.Module) -> None:
    """Move a network from the meta device to the processor, all values one and the same zero: for shapes alone."""
    state = {name: torch.zeros((), dtype=one.dtype).expand(one.shape) for name, one in network.state_dict().items()}
    network.load_state_dict(state, assign=True)


def _values(batch: Tensor) -> int:
    return batch.shape[1:].numel()
