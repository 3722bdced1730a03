"""Training one network, and the accuracy of several."""

import math
from typing import Any

import torch
import torch.nn.functional as functional
from torch.utils.data import DataLoader

from plain.attack import Ensemble
from plain.networks import Network
from space import Precision

RATE, DECAY, WARMUP = 2e-3, 5e-4, 0.2


def train(network: Network, precision: Precision, loader: DataLoader[Any], epochs: int) -> Network:
    """AdamW with a linear warm-up and a cosine; leaves the network in eval mode."""
    weights = [value for name, value in network.named_parameters() if name.endswith("weight") and value.dim() > 1]
    others = [value for value in network.parameters() if all(value is not weight for weight in weights)]
    decay = 0.0 if precision.binary else DECAY
    groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    steps = epochs * len(loader)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, steps))
    network.train()
    for _ in range(epochs):
        for images, labels in loader:
            loss = functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            scheduler.step()
    return network.eval()


def rate_at(step: int, steps: int) -> float:
    """Share of the peak rate."""
    rise = max(1, round(steps * WARMUP))
    return (step + 1) / rise if step < rise else 0.5 * (1 + math.cos(math.pi * (step - rise + 1) / (steps - rise + 1)))


@torch.no_grad()
def accuracy(model: Ensemble, loader: DataLoader[Any]) -> float:
    """Share of images that an ensemble gets right."""
    right = [model.predict(images) == labels for images, labels in loader]
    return float(torch.cat(right).float().mean())
