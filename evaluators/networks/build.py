"""From a name and a precision to a network that takes images in [0, 1]."""

from collections.abc import Iterator
from importlib import import_module

import torch
from torch import Tensor, nn

from evaluators.networks.catalogue import check_fits, find_network
from evaluators.networks.plan import Plan
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.pixels import PixelDiscretizer
from space import Precision


class Network(nn.Module):
    """One network: discretizer, a fixed normalisation, layers.

    Attributes:
        discretizer: the input discretizer; the identity at 8 bits.
        body: the topology, from normalised images to logits.
    """

    def __init__(self, body: nn.Module, input_bits: int) -> None:
        super().__init__()
        self.discretizer = PixelDiscretizer(input_bits)
        self.body = body

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W in [0, 1] in, N×classes logits out."""
        logits: Tensor = self.body(4 * self.discretizer(images) - 2)
        return logits

    def layers(self) -> Iterator[tuple[str, QuantLayer]]:
        """Every layer with weights, in the order of the computation."""
        for name, module in self.body.named_modules():
            if isinstance(module, QuantLayer):
                yield name, module

    def reset(self, generator: torch.Generator) -> None:
        """Draw all weights anew."""
        for _, layer in self.layers():
            layer.reset(generator)

    def map_weights(self, mu: float, layers: int) -> None:
        """μ-law compress the weights of the last `layers` layers; changes nothing that is stored."""
        for _, layer in list(self.layers())[-layers:]:
            layer.mu = mu


def build(name: str, precision: Precision, plan: Plan, *, input_bits: int = 8) -> Network:
    """Build a network with zero weights; call `reset` or load a state next.

    Raises: UnknownName for a name or precision that does not exist, UserError where the images are too small.
    """
    info = find_network(name)
    check_fits(info, plan.shape)
    module, function = info.builder.split(":")
    builder = getattr(import_module(module), function)
    return Network(builder(plan, precision), input_bits)
