"""A training step in every precision, and a multi-bit one against its M×N double loop.

    python benchmarks/training_step.py

One step is a forward pass, a backward pass and an update on 64 random images.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from timing import fastest, save, table
from torch import Tensor

from evaluators.allocator import keep_freed_memory
from evaluators.networks.build import Network, build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.quantizers.bases import MultiBaseActivation, MultiBaseWeight
from evaluators.quantizers.layers import QuantConv2d
from evaluators.quantizers.ste import sign
from evaluators.seeds import stream
from evaluators.training.recipes import RECIPES, optimizer_for
from space import Precision

BATCH = 64
PRECISIONS = ("fp", "pact2", "dorefa2-2", "xnor", "mbn1x1", "mbn3x1", "mbn3x3", "mbn5x5")
LOOPED = ("mbn3x3", "mbn5x5")


def looped(layer: QuantConv2d) -> Callable[[Tensor], Tensor]:
    """The layer's forward pass as M×N binary convolutions, the ordinary way to write it."""

    def forward(x: Tensor) -> Tensor:
        weight, activation = layer.weight, layer.activation
        assert isinstance(weight, MultiBaseWeight) and isinstance(activation, MultiBaseActivation)
        out = torch.zeros(())
        for latent, alpha in zip(weight.latent, weight.scale, strict=True):
            for beta, v in zip(activation.scale, activation.shift, strict=True):
                product = functional.conv2d(sign(x + v), sign(latent), None, layer.stride, layer.padding)
                out = out + alpha.view(1, -1, 1, 1) * beta * product
        return out

    return forward


def step_of(network_name: str, token: str, *, loop: bool = False) -> Callable[[], object]:
    """A training step of a network in a precision, as a function to time."""
    precision, shape = Precision.parse(token), NETWORKS[network_name].shape
    network: Network = build(network_name, precision, Plan(shape=shape, classes=10))
    network.reset(stream(0, token))
    network.train()
    for _, layer in network.layers():
        if loop and isinstance(layer, QuantConv2d) and isinstance(layer.weight, MultiBaseWeight):
            layer.forward = looped(layer)  # type: ignore[method-assign]
    images = torch.rand(BATCH, *shape).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (BATCH,))
    optimizer = optimizer_for(network, precision, RECIPES["standard"])

    def step() -> None:
        loss = functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def main() -> None:
    keep_freed_memory()
    results = {}
    for name in ("mnistconv", "resnet20"):
        steps = {token: step_of(name, token) for token in PRECISIONS}
        steps |= {f"{token} as a double loop": step_of(name, token, loop=True) for token in LOOPED}
        results[name] = fastest(steps)
        print(table(name, results[name], "mbn1x1"), end="\n\n")
    save("training_step", {"seconds": results})


if __name__ == "__main__":
    main()
