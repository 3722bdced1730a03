"""The stages of a worst case: each attacks what the ones before it left standing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attack
from evaluators.attacks.halving import HalvingAscent
from evaluators.attacks.losses import break_margin, log_probabilities, rescaled, standardised
from evaluators.attacks.noise import Noise
from evaluators.attacks.square import Square, Start
from evaluators.attacks.surrogates import RULES, hides_gradients, steered, through
from evaluators.attacks.transfer import Transfer
from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.soundness import are_probabilities

BLACK_BOX = ("noise", "corners", "transfer")
"""Stages that take no gradient of the model; Square is the last of them."""
ONE_STEP, SQUARE, REFINED = "one-step", "square", "refined"
TELLING = 4
"""Images that a rule must have broken alone to be followed further."""
ROUNDS: tuple[tuple[Start, int, float], ...] = (
    *(("best", 1, 2.0), ("best", 4, 0.75)),
    *(("best", 16, 0.2), ("stripes", 4, 0.5)),
)
"""Of the search between corners: where it begins, times the queries of Square, and times its sample."""
PROPOSALS = 4
"""Squares tried at once in the first round, more in the longer ones."""
WORTHWHILE = 0.2
"""And how many for each that is left."""


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
        carriers: attacks from trained networks without its quantizers; what they crafted is remembered.
        example: an image or more, N×C×H×W, to see how the model behaves.
        flat: whether most of its gradients are zero.
    """

    model: Ensemble
    carriers: Sequence[Transfer]
    example: Tensor
    flat: bool


def gradient_stages(target: Target, effort: Effort) -> Iterator[Stage]:
    """From one step to other losses, along the gradients that help most.

    FGSM and R-FGSM; Auto-PGD on rescaled logits, and on the margin at which the vote breaks; for ensembles on the
    members' standardised logits, for outputs that are probabilities on their logs. Where something quantizes, smooth
    gradients come first, since they break two or three times what the trained ones do, and the trained ones after.
    """
    model, half, once = target.model, effort.half, 1 if effort.steps else 0
    hidden = hides_gradients(model, target.example)
    guide = through(model, "smooth") if hidden else model
    yield Stage(name=ONE_STEP, attack=Ascent(steps=once, step_size=1.0), model=model)
    yield Stage(name=ONE_STEP, attack=Ascent(steps=once, step_size=0.5, start="signs"), model=model)
    for name, loss in (("rescaled", rescaled), ("margin", break_margin)):
        attack = HalvingAscent(steps=effort.steps, restarts=effort.restarts, loss=loss)
        yield Stage(name="smooth" if hidden else name, attack=attack, model=guide)
    if hidden:
        yield Stage(name="margin", attack=HalvingAscent(steps=half, restarts=effort.restarts), model=model)
    if len(model.members) > 1:
        yield Stage(name="standardised", attack=HalvingAscent(steps=half, loss=standardised), model=guide)
    if are_probabilities(model.member_logits(target.example).detach()):
        yield Stage(name="logs", attack=HalvingAscent(steps=effort.steps, loss=log_probabilities), model=guide)


def surrogate_stages(target: Target, effort: Effort, breaks: Mapping[str, int], left: int) -> Iterator[Stage]:
    """Other straight-through rules where something quantizes, and a twin's gradients where there are none.

    A rule that breaks what others could not is followed further.

    Args:
        target: what is attacked.
        effort: what it may spend.
        breaks: so far, by stage name; looked at after each stage.
        left: images that stand; a rule that broke less than a share of them is not followed, which would be dear.
    """
    steady = Ascent(steps=effort.steps, start="uniform", loss=rescaled)
    for rule in RULES if hides_gradients(target.model, target.example) else ():
        model = through(target.model, rule)
        if rule not in breaks:
            yield Stage(name=rule, attack=HalvingAscent(steps=-(-effort.half // 2)), model=model)
        if breaks.get(rule, 0) >= max(TELLING, WORTHWHILE * left):
            yield Stage(name=rule, attack=HalvingAscent(steps=2 * effort.steps), model=model)
            yield Stage(name=rule, attack=steady, model=model)
    # its values may not change at all on the way, which would halve steps to nothing
    lead = Ascent(steps=2 * effort.steps, start="uniform", restarts=4)
    for carrier in target.carriers if target.flat else ():
        yield Stage(name="steered", attack=lead, model=steered(target.model, carrier.source))


def best_surrogate(model: Ensemble, breaks: Mapping[str, int]) -> Ensemble:
    """The model with the rule that broke most of what the trained one could not; the model itself where none did."""
    rule = max(RULES, key=lambda name: breaks.get(name, 0))
    return through(model, rule) if breaks.get(rule, 0) >= TELLING else model


def black_box_stages(target: Target, effort: Effort) -> Iterator[Stage]:
    """Noise, corners of the ball, and adversaries of the twins."""
    model, draws = target.model, 8 if effort.steps else 0
    yield Stage(name="noise", attack=Noise(kind="uniform", draws=draws), model=model)
    yield Stage(name="corners", attack=Noise(kind="corners", draws=draws // 2), model=model)
    for carrier in target.carriers:
        yield Stage(name="transfer", attack=carrier, model=model)


def square_stage(target: Target, effort: Effort) -> Stage:
    """Square, on a sample of what is left."""
    queries = effort.queries if effort.steps else 0
    return Stage(name=SQUARE, attack=Square(queries=queries, sample=effort.sample), model=target.model)


def refining_stages(target: Target, effort: Effort, breaks: Mapping[str, int]) -> Iterator[Stage]:
    """A search between the corners of the ball, longer while it breaks something, to the end where Square had.

    It begins at the best that gradients found. Binary weights and activations leave weak spots there that no gradient
    shows; where nothing is binary the first round breaks nothing, and is the last.

    Args:
        target: what is attacked.
        effort: what it may spend.
        breaks: so far, by stage name; looked at after each stage.
    """
    queries = effort.queries if effort.steps else 0
    for start, times, share in ROUNDS:
        before = breaks.get(REFINED, 0)
        attack = Square(
            queries=times * queries,
            sample=math.ceil(share * effort.sample),
            proposals=PROPOSALS * math.isqrt(times),  # of few images a pass of more costs hardly more
            start=start,
        )
        yield Stage(name=REFINED, attack=attack, model=target.model)
        if breaks[REFINED] == before and not breaks[SQUARE]:
            return
