"""Gradients that vanish on their way to the image: an attack that follows them goes nowhere."""

from collections.abc import Iterator

import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.diagnostics.catalogue import DIAGNOSTICS
from evaluators.diagnostics.subject import Subject
from evaluators.diagnostics.table import Cell, Table
from evaluators.networks.build import Network

IMAGE = "image"


def gradients(subject: Subject) -> Table:
    """Mean |dL/dx| at the image and at the input of each layer, by member, on clean images.

    L is the cross-entropy of the member alone, through its straight-through quantizers, in float32 as attacks compute
    it. Beside the mean: the share of values, and of images with all their values, where the gradient is exactly 0.
    """
    rows: list[tuple[Cell, ...]] = []
    for number, network in enumerate(subject.model.members, start=1):
        rows += [(number, *cells) for cells in _of_member(network, subject)]  # type: ignore[arg-type]
    return Table(name="gradients", columns=DIAGNOSTICS["gradients"].columns, rows=tuple(rows))


@torch.enable_grad()
def layer_gradients(network: Network, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """dL/dx of each image's own loss: at the image, then at the input of each layer, in the order of the computation.

    A layer's input is taken before its activation; where a shortcut uses it too, the gradient counts both ways.
    """
    places = {IMAGE: images.detach().requires_grad_()}
    hooks = [
        layer.register_forward_pre_hook(lambda _, inputs, name=name: places.update({name: inputs[0]}))
        for name, layer in network.layers()
    ]
    loss = functional.cross_entropy(network(places[IMAGE]), labels, reduction="sum")
    for hook in hooks:
        hook.remove()
    return dict(zip(places, torch.autograd.grad(loss, list(places.values())), strict=True))


def _of_member(network: Network, subject: Subject) -> Iterator[tuple[str, float, float, float]]:
    """Place, mean, share of zero values, share of images of zeros alone."""
    totals: dict[str, Tensor] = {}
    for images, labels in subject.batches():
        for place, gradient in layer_gradients(network, images, labels).items():
            totals[place] = totals.get(place, torch.zeros(())) + _sums(gradient.flatten(1))
    for place, (size, values, zeros, zero_images) in ((place, total.tolist()) for place, total in totals.items()):
        yield place, size / values, zeros / values, zero_images / len(subject.labels)


def _sums(gradient: Tensor) -> Tensor:
    """Σ|g|, the number of values, of zeros, and of images of zeros alone: float64, on the CPU."""
    zero = gradient == 0
    sums = (gradient.abs().double().sum(), zero.numel(), zero.sum(), zero.all(1).sum())
    return torch.tensor([float(one) for one in sums], dtype=torch.float64)
