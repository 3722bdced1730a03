"""What goes into and out of every layer, for one image."""

import torch
from torch import Tensor, nn

from evaluators.quantizers.layers import QuantLayer


def layer_sizes(body: nn.Module, shape: tuple[int, int, int]) -> dict[QuantLayer, tuple[int, int]]:
    """Numbers of input and output values of every layer, in the order of its definition.

    Args:
        body: a topology in eval mode; on the meta device nothing is computed.
        shape: channels, height, width of an image.
    """
    layers = [module for module in body.modules() if isinstance(module, QuantLayer)]
    seen: dict[QuantLayer, tuple[int, int]] = {}
    hooks = [
        layer.register_forward_hook(lambda layer, given, out: seen.update({layer: (_values(given[0]), _values(out))}))
        for layer in layers
    ]
    with torch.no_grad():
        body(torch.empty(1, *shape, device=layers[0].weight.latent.device))
    for hook in hooks:
        hook.remove()
    return {layer: seen[layer] for layer in layers}


def _values(batch: Tensor) -> int:
    return batch[0].numel()
