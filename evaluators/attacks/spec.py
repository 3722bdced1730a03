"""Attacks as papers state them: a name, a radius, steps, and what they are crafted on."""

from dataclasses import dataclass

from evaluators.base import THREATS, Threat, check_range
from space import Candidate, UnknownName, UserError

WORST = "worst"
"""The worst case of an adaptive set (evaluators/robustness), which papers do not have."""
ATTACKS = ("fgsm", "rfgsm", "uniform", "gaussian", "bim", "mim", "pgd", "cw", WORST)
"""Names of attacks, from cheap to dear."""

NOISES = ("uniform", "gaussian")
STARTED_AT_RANDOM = ("rfgsm", "pgd", WORST)
WITHOUT_STEP_SIZE = (*NOISES, "cw", WORST)
WITHOUT_SOURCE = (*NOISES, WORST)
RESTARTED = ("pgd", WORST)
PIXELS = "pixels are in [0, 1]: write 8/255 for 8 grey levels"


@dataclass(frozen=True, kw_only=True)
class AttackSpec:
    """One attack as a paper states it.

    Attributes:
        name: one of ATTACKS.
        epsilon: largest change of a pixel, in [0, 1] of the pixel range; CW ignores it.
        steps: gradient steps of BIM, MIM, PGD, CW and of a full stage of the worst case, >= 0; one-step attacks have
            one, noise none. 0 switches any attack off.
        step_size: length of one gradient step in [0, 1] of the pixel range; None for the catalogue's own share of ε.
            Noise, CW and the worst case have none.
        restarts: random starts of PGD and of the worst case, >= 1; an image falls if any of them breaks it.
        runs: independent repetitions whose accuracies are averaged, >= 1.
        threat: where the attacker stands: "raw", before the input discretizer, or "discretised", after it.
        source: what the images are crafted on, to be judged on another candidate; None for the attacked one itself.
            Noise and the worst case have none.
    Raises: UserError for what is out of range or means nothing to the attack, UnknownName.
    """

    name: str
    epsilon: float = 0.0
    steps: int = 20
    step_size: float | None = None
    restarts: int = 1
    runs: int = 1
    threat: Threat = "raw"
    source: Candidate | None = None

    def __post_init__(self) -> None:
        if self.name not in ATTACKS:
            raise UnknownName("attack", self.name, ATTACKS)
        if self.threat not in THREATS:
            raise UnknownName("threat model", self.threat, THREATS)
        check_range("epsilon", self.epsilon, 0.0, 1.0, PIXELS)
        check_range("attack steps", self.steps, 0, 100_000)
        check_range("attack restarts", self.restarts, 1, 1_000)
        check_range("attack runs", self.runs, 1, 1_000)
        if self.step_size is not None:
            check_range("step size", self.step_size, 0.0, 1.0, PIXELS)
        self._check_meaning()

    @property
    def random(self) -> bool:
        """Whether anything is drawn; if not, all runs are the same one."""
        return self.name in (*STARTED_AT_RANDOM, *NOISES)

    @property
    def sweeps(self) -> bool:
        """Whether one pass over the images serves every ε."""
        whole_step = self.name == "fgsm" and self.step_size is None and self.source is None
        return bool(self.steps) and (whole_step or self.name in NOISES)

    def _check_meaning(self) -> None:
        if self.step_size is not None and self.name in WITHOUT_STEP_SIZE:
            raise UserError(f"step size of {self.name}", got=self.step_size, expected="none")
        if self.restarts > 1 and self.name not in RESTARTED:
            hint = f"{' and '.join(RESTARTED)} alone have more"
            raise UserError(f"restarts of {self.name}", got=self.restarts, expected="1", hint=hint)
        if self.source is not None and self.name in WITHOUT_SOURCE:
            why = "its own" if self.name == WORST else "no gradient is taken"
            raise UserError(f"source of {self.name}", got=self.source, expected=f"none: {why}")
