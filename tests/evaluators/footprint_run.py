"""Prints the peak of a few training steps in bytes, beyond what the process held before: NETWORK PRECISION BATCH."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as functional

from evaluators.networks.build import build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from evaluators.training.recipes import RECIPES, optimizer_for
from space import Precision


def main(name: str, token: str, batch: int) -> None:
    torch.set_num_threads(1)
    step(name, token, 2, width=1 / 16)  # loads libraries and compiles kernels
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = status("VmRSS")
    for _ in range(2):
        step(name, token, batch)
    print(status("VmHWM") - before)


def step(name: str, token: str, batch: int, width: float = 1.0) -> None:
    precision, shape = Precision.parse(token), NETWORKS[name].shape
    network = build(name, precision, Plan(shape=shape, classes=10, width=width))
    network.reset(stream(0, token))
    optimizer = optimizer_for(network.train(), precision, RECIPES["standard"])
    images = torch.rand(batch, *shape).contiguous(memory_format=torch.channels_last)
    functional.cross_entropy(network(images), torch.zeros(batch, dtype=torch.int64)).backward()
    optimizer.step()


def status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
