"""Feedback learning: examples at a network's own decision boundary, for it to learn from (Song, Fallon, Li 2020).

The paper measures how far each image is from the boundary in the direction of each other class, and makes more
examples where that is near. It gives no algorithm to copy. Chosen here: the direction of a class is the gradient of its
logit against the label's; the boundary along it is found by halving; a rival class is drawn by how small its margin
is, and an image by how near its boundary is.
"""

import torch
from torch import Tensor, nn

HALVINGS = 5
"""Places the boundary to within a sixteenth of the distance that the gradient foretells."""


def boundary_examples(
    network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """As many images as given, each at the boundary to a rival class, with the labels they should have.

    Args:
        network: in train mode, and again so after; its boundary is that of eval mode.
        images: N×C×H×W in [0, 1].
        labels: N integers.
        generator: draws rivals and images.
    Returns: images in [0, 1] and their labels; an image may come several times, or not at all.
    """
    network.eval()
    rivals, margin, direction = _rivals(network, images, labels, generator)
    steps = _distances(network, images, labels, rivals, margin, direction)
    network.train()
    moved = (images + steps * direction).clamp(0, 1)
    length = steps.flatten()
    nearness = 1 / (length + length.mean()).clamp_min(torch.finfo(length.dtype).eps)  # whose sum stays finite
    drawn = torch.multinomial(_drawable(nearness), len(images), replacement=True, generator=generator)
    return moved[drawn].detach(), labels[drawn]


def _rivals(
    network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """A rival of each label, the margin above it, and the unit direction in which it shrinks fastest."""
    images = images.detach().requires_grad_()
    logits = network(images).float()
    others = logits.detach().scatter(1, labels[:, None], -torch.inf)
    rivals = torch.multinomial(_drawable(others.softmax(1)), 1, generator=generator)
    margins = (logits.gather(1, labels[:, None]) - logits.gather(1, rivals)).squeeze(1)
    (gradient,) = torch.autograd.grad(margins.sum(), images)
    length = gradient.flatten(1).norm(dim=1).clamp_min(torch.finfo(gradient.dtype).tiny).view(-1, 1, 1, 1)
    reach = margins.detach().view(-1, 1, 1, 1) / length
    return rivals.squeeze(1), reach, -gradient / length


@torch.no_grad()
def _distances(
    network: nn.Module, images: Tensor, labels: Tensor, rivals: Tensor, reach: Tensor, direction: Tensor
) -> Tensor:
    """How far along the direction the rival overtakes the label: at most twice what the gradient foretells."""
    near = torch.zeros_like(reach)
    far = 2 * reach.clamp(0, images[0].numel() ** 0.5)  # no two images are farther apart than that
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        logits = network((images + middle * direction).clamp(0, 1))
        rows = torch.arange(len(labels), device=labels.device)
        ahead = (logits[rows, labels] > logits[rows, rivals]).view_as(middle)
        near, far = torch.where(ahead, middle, near), torch.where(ahead, far, middle)
    return far


def _drawable(weights: Tensor) -> Tensor:
    """Weights that can be drawn by, whatever they are: of a training that has diverged the loss is to tell."""
    return weights.nan_to_num(nan=1.0)
