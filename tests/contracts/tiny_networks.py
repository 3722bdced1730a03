"""What contract tests of networks share: every topology at a size that runs in milliseconds."""

import torch
from torch import Tensor

from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from space import Precision

SMALL: dict[str, tuple[int, int, int]] = {
    "fcn1": (1, 5, 6),
    "fcn2": (1, 5, 6),
    "mnistconv": (1, 28, 28),
    "mnistcnn": (1, 8, 9),
    "cifarconv": (3, 8, 9),
    "alexnet": (3, 16, 17),
    "alexnet-imagenet": (3, 63, 64),
    "resnet20": (3, 8, 9),
    "resnet56": (3, 8, 9),
    "wrn32": (3, 8, 9),
    "resnet18": (3, 32, 40),
    "resnet18-1x1": (3, 32, 40),
}
"""Image shapes, not square where the topology allows it."""

THIN = {"fcn1": 1 / 64, "wrn32": 1 / 40}
"""Widths of the wide topologies; the others run at an eighth."""

TOKENS = ["fp", "pact4", "pact2-8", "dorefa1-1", "dorefa4-2", "bnn", "xnor", "mbn1x1", "mbn3x2"]

WHOLE = ["ptq3", "fp~w50", "fp~c50"]
"""Precisions that the first convolution and the classifier share."""


def precision(token: str) -> Precision:
    return Precision.parse(token)


def thin(name: str) -> float:
    return THIN.get(name, 0.125)


def plan_of(name: str, width: float | None = None, classes: int = 3) -> Plan:
    return Plan(shape=SMALL[name], classes=classes, width=width or thin(name))


def drawn(name: str, token: str, *, seed: str = "tiny", width: float | None = None, input_bits: int = 8) -> Network:
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
