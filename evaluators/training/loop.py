"""The training loop of every member."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.data.batches import batches, to_float
from evaluators.data.dataset import Split
from evaluators.networks.build import Network
from evaluators.training.adversarial import Guard, craft
from evaluators.training.feedback import boundary_examples
from evaluators.training.pausing import Tensors, below, load_moments, moments, under
from evaluators.training.recipes import Recipe, optimizer_for
from space import AnyPrecision

HELD = 256
"""Training images that a guard keeps for itself, at most; a tenth where there are few."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A linear rise, then a fall to zero, over a known number of steps."""

    steps: int
    warmup: float
    fall: Literal["cosine", "linear"] = "cosine"

    def factor(self, step: int) -> float:
        """Share of the peak rate at `step` in 0 ... steps - 1."""
        rise = max(1, round(self.steps * self.warmup))
        if step < rise:
            return (step + 1) / rise
        gone = (step - rise + 1) / (self.steps - rise + 1)
        return 1 - gone if self.fall == "linear" else 0.5 * (1 + math.cos(math.pi * gone))


@dataclass(frozen=True, kw_only=True)
class Course:
    """One training: what is learnt from, how, for how long.

    Attributes:
        split: training images.
        recipe: the named choices.
        epochs: passes over the images.
        generator: of the order of images and their augmentation.
        autocast: dtype of the convolutions.
        teacher: network to learn from as well, or none.
        epsilon: largest change of a pixel where the recipe attacks what it trains on.
    """

    split: Split
    recipe: Recipe
    epochs: int
    generator: torch.Generator
    autocast: torch.dtype = torch.float32
    teacher: Network | None = None
    epsilon: float = 0.0


def train(network: Network, precision: AnyPrecision, course: Course) -> None:
    """Train in place; leaves the network in eval mode.

    Raises: FloatingPointError when the loss, or a weight after the last step, is no longer finite.
    """
    Training(network, precision, course).advance(course.epochs)


class Training:
    """A course that can pause after any of its epochs, and go on from there later, as if it had never paused.

    Attributes:
        network: what is trained, in place.
        epoch: passes made so far; a guard may end a course before its last.
    """

    def __init__(self, network: Network, precision: AnyPrecision, course: Course) -> None:
        self.network, self.epoch = network, 0
        self._optimizer = optimizer_for(network, precision, course.recipe)
        self._course, self._guard = _watched(course)
        per_epoch = math.ceil(len(self._course.split) / course.recipe.batch)
        self._schedule = Schedule(steps=course.epochs * per_epoch, warmup=course.recipe.warmup, fall=course.recipe.fall)
        self._step, self._ended = 0, False

    def advance(self, epochs: int) -> None:
        """Train until so many passes are made, at most those of the course; leaves the network in eval mode.

        Raises: FloatingPointError when the loss, or a weight after the last step, is no longer finite.
        """
        self.network.train()
        while self.epoch < min(epochs, self._course.epochs) and not self._ended:
            self._pass()
            self.epoch += 1
            self._ended = self._guard is not None and self._guard.collapsed(self.network)
        if not all(value.isfinite().all() for value in self.network.state_dict().values()):
            raise FloatingPointError("a trained weight is no longer finite")
        self.network.eval()

    def state(self) -> Tensors:
        """Everything that the rest of the course depends on, by name; tensors may share memory with the training."""
        return {
            "progress": torch.tensor([self.epoch, self._step, self._ended]),
            "generator": self._course.generator.get_state(),
            **under("network", self.network.state_dict()),
            **under("optimizer", moments(self._optimizer)),
            **under("guard", self._guard.state() if self._guard else {}),
        }

    def follows(self, state: Tensors) -> bool:
        """Whether a training's state is of this kind of device: generators of another draw otherwise."""
        return state["generator"].shape == self._course.generator.get_state().shape

    def resume(self, state: Tensors) -> None:
        """Go on from what `state` gave of a training alike that this one `follows`.

        Raises: KeyError, RuntimeError for the state of another training.
        """
        self.epoch, self._step, ended = state["progress"].tolist()
        self._ended = bool(ended)
        self._course.generator.set_state(state["generator"])
        self.network.load_state_dict(below("network", state))
        load_moments(self._optimizer, below("optimizer", state))
        if self._guard is not None:
            self._guard.resume(below("guard", state))

    def _pass(self) -> None:
        course, total = self._course, torch.zeros((), device=self._course.split.images.device)
        for images, labels in batches(
            course.split, course.recipe.batch, generator=course.generator, augment=course.recipe.augment
        ):
            self._set_rate()
            loss = _loss(self.network, images, labels, course)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            self._step += 1
            _clip_latents(self.network)
            total += loss.detach()
        if not torch.isfinite(total):
            raise FloatingPointError("the training loss is no longer finite")

    def _set_rate(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._course.recipe.rate * self._schedule.factor(self._step)


def _watched(course: Course) -> tuple[Course, Guard | None]:
    """The course without its last images, and a guard that holds them; the course itself where it has none."""
    if not course.recipe.guarded:
        return course, None
    kept = len(course.split) - min(HELD, len(course.split) // 10 + 1)
    images, labels = course.split.images[kept:], course.split.labels[kept:]
    guard = Guard(to_float(images), labels, course.epsilon, course.generator)
    return replace(course, split=course.split.head(kept)), guard


def _loss(network: Network, images: Tensor, labels: Tensor, course: Course) -> Tensor:
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=course.autocast == torch.bfloat16):
        if course.recipe.crafting is not None:
            attacked = craft(network, images, labels, course.recipe.crafting, course.epsilon, course.generator)
            loss, share = _labelled_loss(network, attacked, labels), course.recipe.crafting.clean_share
            return share * _labelled_loss(network, images, labels) + (1 - share) * loss if share else loss
        if course.recipe.boundary_share:
            share = course.recipe.boundary_share
            moved, theirs = boundary_examples(network, images, labels, course.generator)
            loss = _labelled_loss(network, moved, theirs)
            return share * loss + (1 - share) * _labelled_loss(network, images, labels)
        return _plain_loss(network, images, labels, course)


def _labelled_loss(network: Network, images: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(network(images).float(), labels)


def _plain_loss(network: Network, images: Tensor, labels: Tensor, course: Course) -> Tensor:
    images = images.requires_grad_(course.recipe.penalty > 0)
    logits, temperature = network(images).float(), course.recipe.temperature
    if course.teacher is None:
        loss = functional.cross_entropy(logits / temperature, labels)
    else:
        loss = _taught_loss(logits, course.teacher, images, labels, course.recipe)
    if course.recipe.penalty:
        loss = loss + course.recipe.penalty * _gradient_norm(logits, images, labels)
    return loss


def _taught_loss(logits: Tensor, teacher: Network, images: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """What the labels and the teacher say, by their shares."""
    with torch.no_grad():
        target = teacher(images).float()
    taught = recipe.teacher_share * _divergence(logits, target, recipe.temperature)
    return (1 - recipe.teacher_share) * functional.cross_entropy(logits, labels) + taught


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
