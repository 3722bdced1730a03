"""What contract tests of networks share: every topology at a size that runs in milliseconds."""

import torch
from torch import Tensor

from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from space import Precision

SMALL: dict[str, tuple[int, int, int]] = {
    "fcn2": (1, 5, 6),
    "mnistconv": (1, 28, 28),
    "cifarconv": (3, 8, 9),
    "resnet20": (3, 8, 9),
}
"""Image shapes, not square where the topology allows it."""

TOKENS = ["fp", "pact4", "pact2-8", "dorefa1-1", "dorefa4-2", "bnn", "xnor", "mbn1x1", "mbn3x2"]


def precision(token: str) -> Precision:
    return Precision.parse(token)


def plan_of(name: str, width: float = 0.125, classes: int = 3) -> Plan:
    return Plan(shape=SMALL[name], classes=classes, width=width)


def drawn(name: str, token: str, *, seed: str = "tiny", width: float = 0.125, input_bits: int = 8) -> Network:
    """An untrained network in eval mode; batch norm knows its activations, and has weights and biases of its own."""
    network = build(name, precision(token), plan_of(name, width), input_bits=input_bits)
    generator = stream(0, seed)
    network.reset(generator)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
            for parameter in module.parameters():
                parameter.data.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    with torch.no_grad():
        network.train()(pictures(name, 32, "batch norm"))
    return network.eval()


def pictures(name: str, count: int, seed: str = "images") -> Tensor:
    """Grey levels at random, as float32 in [0, 1]."""
    levels = torch.randint(256, (count, *SMALL[name]), generator=stream(0, seed), dtype=torch.uint8)
    return levels.float() / 255
