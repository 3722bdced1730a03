"""From a name and a precision to a network that takes images in [0, 1]."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module

import torch
from torch import Tensor, nn

from evaluators.networks.catalogue import NetworkInfo, check_fits, check_stages, find_network
from evaluators.networks.plan import Plan
from evaluators.networks.pruning import narrow_blindly, prune_weights, widths
from evaluators.networks.shapes import unfilled
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.pixels import PixelDiscretizer
from space import AnyPrecision, Precision, UserError

FULL_PRECISION = Precision.parse("fp")


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


def build(name: str, precision: AnyPrecision, plan: Plan, *, input_bits: int = 8) -> Network:
    """Build a network with zero weights; call `reset` or load a state next.

    Raises: UnknownName for a name or precision that does not exist, UserError where the images are too small,
        stages are others than the network's, or channels cannot be pruned as far as asked.
    """
    info = find_network(name)
    check_fits(info, plan.shape)
    check_stages(info, precision)
    network = Network(_builder(info)(plan, precision), input_bits)
    if isinstance(precision, Precision):
        _treat_every_layer(network, name, precision, plan)
    return network


def _builder(info: NetworkInfo) -> Callable[[Plan, AnyPrecision], nn.Module]:
    """The function behind an entry of the catalogue; UserError where that names none."""
    module, _, function = info.builder.partition(":")
    try:
        found: Callable[[Plan, AnyPrecision], nn.Module] = getattr(import_module(module), function)
        return found
    except (ImportError, AttributeError, ValueError) as error:
        what = f"builder of the network {info.name}"
        raise UserError(what, got=info.builder, expected="module:function", hint=str(error)) from error


@lru_cache(maxsize=1024)
def pruned_widths(name: str, percent: int, plan: Plan) -> tuple[int, ...]:
    """How many channels a network of which `percent` % is pruned keeps, joint by joint; no values are computed."""
    with torch.device("meta"):
        network = build(name, FULL_PRECISION, plan).eval()
    unfilled(network)
    return widths(network.body, plan.shape, percent)


def _treat_every_layer(network: Network, name: str, precision: Precision, plan: Plan) -> None:
    """What changes the first convolution and the classifier too: pruning, and quantization after training."""
    if precision.method == "ptq":
        for _, layer in network.layers():
            layer.with_weights(precision)
    if precision.pruning is not None and precision.pruning.what == "w":
        prune_weights(network.body, precision.pruning.percent)
    elif precision.pruning is not None:
        narrow_blindly(network.body, pruned_widths(name, precision.pruning.percent, plan))
