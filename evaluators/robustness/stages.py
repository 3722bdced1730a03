"""The stages of a worst case: each attacks what the ones before it left standing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attack
from evaluators.attacks.halving import HalvingAscent
from evaluators.attacks.losses import log_probabilities, rescaled, standardised
from evaluators.attacks.noise import Noise
from evaluators.attacks.square import Square
from evaluators.attacks.surrogates import hides_gradients, steered, through
from evaluators.attacks.transfer import Transfer
from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.soundness import are_probabilities

BLACK_BOX = ("noise", "corners", "transfer")
"""Stages that take no gradient of the model; Square is the last of them."""
ONE_STEP, SQUARE = "one-step", "square"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One attack of a worst case.

    Attributes:
        name: under which its breaks are counted.
        attack: what is done.
        model: what it is done to; has the values of the attacked model, perhaps with other gradients.
    """

    name: str
    attack: Attack
    model: Ensemble


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is attacked, and what helps.

    Attributes:
        model: the candidate.
        twins: trained networks without its quantizers, whose adversaries may carry over.
        example: an image or more, N×C×H×W, to see how the model behaves.
        flat: whether most of its gradients are zero.
    """

    model: Ensemble
    twins: Sequence[Ensemble]
    example: Tensor
    flat: bool


def gradient_stages(target: Target, effort: Effort) -> Iterator[Stage]:
    """From one step to other losses, and other straight-through rules where something quantizes.

    FGSM and R-FGSM; PGD on rescaled logits; Auto-PGD on the margin at which the vote breaks; for ensembles on the
    members' standardised logits; gradients without windows, then smooth ones; for what has none, those of a twin.
    """
    model, half = target.model, effort.half
    once = 1 if effort.steps else 0
    yield Stage(name=ONE_STEP, attack=Ascent(steps=once, step_size=1.0), model=model)
    yield Stage(name=ONE_STEP, attack=Ascent(steps=once, step_size=0.5, start="signs"), model=model)
    restarts = effort.restarts
    yield Stage(
        name="rescaled", attack=Ascent(steps=half, start="uniform", loss=rescaled, restarts=restarts), model=model
    )
    yield Stage(name="margin", attack=HalvingAscent(steps=effort.steps, restarts=restarts), model=model)
    if len(model.members) > 1:
        yield Stage(name="standardised", attack=HalvingAscent(steps=half, loss=standardised), model=model)
    if are_probabilities(model.member_logits(target.example).detach()):
        yield Stage(name="logs", attack=HalvingAscent(steps=effort.steps, loss=log_probabilities), model=model)
    if hides_gradients(model, target.example):
        open_, smooth = through(model, "window-free"), through(model, "smooth")
        yield Stage(name="window-free", attack=HalvingAscent(steps=half), model=open_)
        yield Stage(name="smooth", attack=HalvingAscent(steps=-(-half // 2), loss=rescaled), model=smooth)
    for twin in target.twins if target.flat else ():
        yield Stage(name="steered", attack=HalvingAscent(steps=effort.steps), model=steered(model, twin))


def black_box_stages(target: Target, effort: Effort) -> Iterator[Stage]:
    """Noise, corners of the ball, and adversaries of the twins."""
    model, draws = target.model, 8 if effort.steps else 0
    yield Stage(name="noise", attack=Noise(kind="uniform", draws=draws), model=model)
    yield Stage(name="corners", attack=Noise(kind="corners", draws=draws // 2), model=model)
    for twin in target.twins:
        yield Stage(
            name="transfer",
            attack=Transfer(attack=Ascent(steps=effort.steps, start="uniform"), source=twin),
            model=model,
        )


def square_stage(target: Target, effort: Effort) -> Stage:
    """Square, on a sample of what is left."""
    queries = effort.queries if effort.steps else 0
    return Stage(name=SQUARE, attack=Square(queries=queries, sample=effort.sample), model=target.model)
