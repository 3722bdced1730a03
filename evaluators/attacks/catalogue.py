"""The attacks by name, and the ones behind the objectives."""

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attack
from evaluators.attacks.carlini import CarliniWagner
from evaluators.attacks.noise import Noise
from evaluators.attacks.spec import NOISES, AttackSpec
from evaluators.attacks.transfer import Transfer
from evaluators.base import Budget, Protocol
from evaluators.ensemble import Ensemble
from space import Candidate

DRAWS = 8
"""Noisy copies of each image."""

CARLINI_STEPS = 50
"""Of the objective `cw`, whatever the budget's steps are: the budget of EMPIR (Sen et al. 2020)."""


def build(spec: AttackSpec, source: Ensemble | None = None) -> Attack:
    """The attack that a specification names.

    Args:
        spec: its own `source` says only that there is one.
        source: what the images are crafted on; None for the attacked model itself.
    """
    if spec.name in NOISES:
        return Noise(kind="gaussian" if spec.name == "gaussian" else "uniform", draws=DRAWS if spec.steps else 0)
    return gradient_attack(spec) if source is None else Transfer(attack=gradient_attack(spec), source=source)


def gradient_attack(spec: AttackSpec) -> Ascent | CarliniWagner:
    """The attack by gradient that a specification names.

    FGSM: Goodfellow et al. 2015. R-FGSM: Panda et al. 2019, ε/2 at random, then ε/2 along the gradient's sign.
    BIM: Kurakin et al. 2017. MIM: Dong et al. 2018, step ε/steps, decay 1. PGD: Madry et al. 2018, step ε/4 as in
    Frickenstein et al. (2023: ε = 2/255, α = 0.5/255). CW: Carlini and Wagner 2017, rate 0.1, c = 10 without a
    search, any distance.
    """
    steps, once = spec.steps, 1 if spec.steps else 0
    match spec.name:
        case "fgsm":
            return Ascent(steps=once, step_size=_share(spec, 1.0))
        case "rfgsm":
            return Ascent(steps=once, step_size=_share(spec, 0.5), start="signs")
        case "bim":
            return Ascent(steps=steps, step_size=_share(spec, 0.25))
        case "mim":
            return Ascent(steps=steps, step_size=_share(spec, 1 / max(steps, 1)), decay=1.0)
        case "pgd":
            return Ascent(steps=steps, step_size=_share(spec, 0.25), start="uniform", restarts=spec.restarts)
        case _:
            return CarliniWagner(steps=steps, search_steps=1, constant=10.0, rate=0.1)


def objective_attack(name: str, protocol: Protocol, budget: Budget) -> AttackSpec | None:
    """What the objective of this name is the accuracy under; None for the clean accuracy.

    The worst case and what comes with it are no single attack; they are not asked for here.
    """
    if name == "acc":
        return None
    return AttackSpec(
        name="pgd" if name in ("transfer", "pgd_naive") else name,
        epsilon=protocol.epsilon,
        threat=protocol.threat,
        steps=CARLINI_STEPS if name == "cw" and budget.steps else budget.steps,
        restarts=budget.restarts if name in ("pgd_naive", "transfer") else 1,
        source=Candidate.parse(protocol.source) if name == "transfer" else None,
    )


def _share(spec: AttackSpec, usual: float) -> float:
    """Length of a step as a share of ε; a ball of radius zero has room for none."""
    return usual if spec.step_size is None or not spec.epsilon else spec.step_size / spec.epsilon
