"""What an attack does to the first hidden activation (Panda, Chakraborty, Roy 2019)."""

from collections import defaultdict

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import loss_gradient
from evaluators.diagnostics.catalogue import DIAGNOSTICS
from evaluators.diagnostics.statistics import mean_and_error
from evaluators.diagnostics.subject import Subject
from evaluators.diagnostics.table import Table
from evaluators.networks.build import Network

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Radii, as shares of ε; the first is the clean image."""


def activations(subject: Subject) -> Table:
    """Mean L1 norm of the first hidden activation by member and radius, and how far FGSM moves it in that norm.

    The activation is what the second layer with weights computes with: the first one's output after batch norm and
    the activation quantizer. One-bit activations all have one norm; they show in how far they moved. Every image is
    attacked, also what is misclassified anyway, by the gradient of the whole ensemble.
    """
    radii = sorted({min(1.0, share * subject.settings.epsilon) for share in SHARES})
    norms: dict[tuple[int, float], list[tuple[Tensor, Tensor]]] = defaultdict(list)
    for images, labels in subject.batches():
        origin = subject.threat().origin(subject.model, images)
        direction = loss_gradient(subject.model, origin, labels).sign()
        for number, network in enumerate(subject.model.members, start=1):
            clean = first_activation(network, _moved(origin, direction, 0.0))  # type: ignore[arg-type]
            for epsilon in radii:
                after = first_activation(network, _moved(origin, direction, epsilon))  # type: ignore[arg-type]
                norms[number, epsilon].append((after.abs().sum(1), (after - clean).abs().sum(1)))
    rows = [
        (*key, *mean_and_error(torch.cat([l1 for l1, _ in parts])), *mean_and_error(torch.cat([d for _, d in parts])))
        for key, parts in sorted(norms.items())
    ]
    return Table(name="activations", columns=DIAGNOSTICS["activations"].columns, rows=tuple(rows))


@torch.no_grad()
def first_activation(network: Network, images: Tensor) -> Tensor:
    """What the second layer with weights computes with: N rows."""
    seen: list[Tensor] = []
    second = list(network.layers())[1][1]
    hook = second.activation.register_forward_hook(lambda module, inputs, output: seen.append(output.flatten(1)))
    network(images)
    hook.remove()
    return seen[0]


def _moved(origin: Tensor, direction: Tensor, epsilon: float) -> Tensor:
    """FGSM's images at this radius; at 0 the images, in the same memory layout, so that they compute the same."""
    return Ball.around(origin, epsilon).project(origin + epsilon * direction)
