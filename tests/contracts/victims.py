"""Networks that were really trained, on real digits, in a second: what attacks are tried on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor

from evaluators.attacks.base import Attack
from evaluators.attacks.catalogue import build, objective_attack
from evaluators.base import Budget, Protocol
from evaluators.data import Split, load
from evaluators.ensemble import Ensemble
from evaluators.networks.build import Network
from evaluators.networks.build import build as build_network
from evaluators.networks.plan import Plan
from evaluators.objectives import OBJECTIVES
from evaluators.seeds import stream
from evaluators.training.inheritance import start_from
from evaluators.training.loop import Course, train
from evaluators.training.recipes import RECIPES
from evaluators.votes import vote_named
from space import Candidate, Precision

CANDIDATES = {
    "fp": "fp",
    "fp, 2-bit input": "in2:fp",
    "dorefa": "dorefa2-2",
    "pact": "pact3",
    "bnn": "bnn",
    "xnor": "in2:xnor",
    "multi-bit": "mbn3x2",
    "mean": "fp+mbn3x2+xnor:mean",
    "majority": "in4:fp+dorefa2-2+xnor:majority",
}
HARDENED = "fp:pgd"
"""Trained on adversaries; no attack of the contracts needs it."""


@cache
def digits(count: int = 48) -> tuple[Tensor, Tensor]:
    """Validation images as float32 in [0, 1], and their labels."""
    split = load("mnist5k").validation.head(count)
    return split.images.float() / 255, split.labels


@cache
def images_of_digits(count: int) -> Split:
    """Validation images, as they are stored."""
    return load("mnist5k").validation.head(count)


@cache
def training_images() -> Split:
    return load("mnist5k").train.head(1500)


@cache
def member(token: str, input_bits: int, recipe: str = "standard") -> Network:
    precision = Precision.parse(token)
    network = build_network("fcn2", precision, Plan(shape=(1, 28, 28), classes=10, width=0.125), input_bits=input_bits)
    if precision.float:
        network.reset(stream(0, "victim"))
    else:
        start_from(network, member("fp", 8))
    order = stream(0, token, str(input_bits))
    epochs, epsilon = (3, 0.0) if recipe == "standard" else (8, 0.1)
    course = Course(split=training_images(), recipe=RECIPES[recipe], epochs=epochs, generator=order, epsilon=epsilon)
    train(network, precision, course)
    network.zero_grad()
    return network


@cache
def victim(kind: str) -> Ensemble:
    candidate = Candidate.parse(HARDENED if kind == "hardened" else CANDIDATES[kind])
    members = [member(str(one.precision), candidate.input_bits, candidate.recipe) for one in candidate.members]
    return Ensemble(members, vote_named(candidate.vote, [one.precision.float for one in candidate.members]))


def attacks(*, steps: int, restarts: int) -> dict[str, Attack]:
    """The attack behind every objective that is one attack on the model's own gradients, at this strength."""
    protocol = Protocol(dataset="mnist5k", checksum="0", network="fcn2", epsilon=0.1)
    budget = Budget(steps=steps, restarts=restarts)
    several = ("certified", "pgd")  # the worst case, and what comes with it
    names = [name for name, objective in OBJECTIVES.items() if objective.stage == "attack" and name not in several]
    specs = {name: objective_attack(name, protocol, budget) for name in names}
    return {name: build(spec) for name, spec in specs.items() if spec and not spec.source}


@dataclass
class Traffic:
    """How many images passed the first member, call by call, and how many of the calls wanted a gradient."""

    forwards: list[int] = field(default_factory=list)
    with_gradient: list[int] = field(default_factory=list)


@contextmanager
def watched(model: Ensemble) -> Iterator[Traffic]:
    traffic = Traffic()

    def note(_: object, inputs: tuple[Tensor]) -> None:
        traffic.forwards.append(len(inputs[0]))
        if inputs[0].requires_grad:
            traffic.with_gradient.append(len(inputs[0]))

    hook = model.members[0].register_forward_pre_hook(note)
    try:
        yield traffic
    finally:
        hook.remove()


def state_of(model: Ensemble) -> list[Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def clamped(images: Tensor, around: Tensor, epsilon: float) -> Tensor:
    """An independent projection, in double precision."""
    exact = around.double()
    return images.double().clamp(exact - epsilon, exact + epsilon).clamp(0, 1).float()


def same(one: Tensor, other: Tensor) -> bool:
    """Equal bit for bit."""
    return torch.equal(one, other) and one.dtype == other.dtype
