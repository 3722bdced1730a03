"""The training loop of every member."""

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.data.batches import batches, to_float
from evaluators.data.dataset import Split
from evaluators.networks.build import Network
from evaluators.training.adversarial import Guard, craft
from evaluators.training.recipes import Recipe, optimizer_for
from space import Precision

HELD = 256
"""Training images that a guard keeps for itself, at most; a tenth where there are few."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A linear rise, then a cosine fall to zero, over a known number of steps."""

    steps: int
    warmup: float

    def factor(self, step: int) -> float:
        """Share of the peak rate at `step` in 0 ... steps - 1."""
        rise = max(1, round(self.steps * self.warmup))
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise + 1) / (self.steps - rise + 1)))


@dataclass(frozen=True, kw_only=True)
class Course:
    """One training: what is learnt from, how, for how long.

    Attributes:
        split: training images.
        recipe: the named choices.
        epochs: passes over the images.
        generator: of the order of images and their augmentation.
        autocast: dtype of the convolutions.
        twin: full-precision network to learn from as well, or none.
        epsilon: largest change of a pixel where the recipe attacks what it trains on.
    """

    split: Split
    recipe: Recipe
    epochs: int
    generator: torch.Generator
    autocast: torch.dtype = torch.float32
    twin: Network | None = None
    epsilon: float = 0.0


def train(network: Network, precision: Precision, course: Course) -> None:
    """Train in place; leaves the network in eval mode.

    Raises: FloatingPointError when the loss, or a weight after the last step, is no longer finite.
    """
    optimizer = optimizer_for(network, precision, course.recipe)
    course, guard = _watched(course) if course.recipe.guarded else (course, None)
    per_epoch = math.ceil(len(course.split) / course.recipe.batch)
    schedule = Schedule(steps=course.epochs * per_epoch, warmup=course.recipe.warmup)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
    network.train()
    for _ in range(course.epochs):
        total = torch.zeros((), device=course.split.images.device)
        for images, labels in batches(
            course.split, course.recipe.batch, generator=course.generator, augment=course.recipe.augment
        ):
            loss = _loss(network, images, labels, course)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            scheduler.step()
            _clip_latents(network)
            total += loss.detach()
        if not torch.isfinite(total):
            raise FloatingPointError("the training loss is no longer finite")
        if guard is not None and guard.collapsed(network):
            break
    if not all(value.isfinite().all() for value in network.state_dict().values()):
        raise FloatingPointError("a trained weight is no longer finite")
    network.eval()


def _watched(course: Course) -> tuple[Course, Guard]:
    """The course without its last images, and a guard that holds them."""
    kept = len(course.split) - min(HELD, len(course.split) // 10 + 1)
    images, labels = course.split.images[kept:], course.split.labels[kept:]
    guard = Guard(to_float(images), labels, course.epsilon, course.generator)
    return replace(course, split=course.split.head(kept)), guard


def _loss(network: Network, images: Tensor, labels: Tensor, course: Course) -> Tensor:
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=course.autocast == torch.bfloat16):
        crafting = course.recipe.crafting
        if crafting is None:
            return _plain_loss(network, images, labels, course)
        attacked = craft(network, images, labels, crafting, course.epsilon, course.generator)
        loss = functional.cross_entropy(network(attacked).float(), labels)
        if crafting.clean_share:
            clean = functional.cross_entropy(network(images).float(), labels)
            loss = crafting.clean_share * clean + (1 - crafting.clean_share) * loss
        return loss


def _plain_loss(network: Network, images: Tensor, labels: Tensor, course: Course) -> Tensor:
    images = images.requires_grad_(course.recipe.penalty > 0)
    logits = network(images).float()
    loss = functional.cross_entropy(logits, labels)
    if course.recipe.penalty:
        loss = loss + course.recipe.penalty * _gradient_norm(logits, images, labels)
    if course.twin is None:
        return loss
    with torch.no_grad():
        target = course.twin(images).float()
    share = course.recipe.twin_share
    return (1 - share) * loss + share * _divergence(logits, target, course.recipe.temperature)


def _gradient_norm(logits: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    """Mean over images of ‖d cross-entropy / d image‖², differentiable once more."""
    each = functional.cross_entropy(logits, labels, reduction="sum")
    (gradient,) = torch.autograd.grad(each, images, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def _divergence(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """T²·KL(softmax(target/T) || softmax(logits/T)), averaged over images (Hinton et al. 2015)."""
    ours, theirs = (functional.log_softmax(z / temperature, dim=1) for z in (logits, target))
    return temperature**2 * functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)


@torch.no_grad()
def _clip_latents(network: Network) -> None:
    for _, layer in network.layers():
        if layer.weight.clips_latent:
            layer.weight.latent.clamp_(-1, 1)
