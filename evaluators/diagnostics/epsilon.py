"""Accuracy against the attacker's radius."""

from collections import Counter

from evaluators.attacks.catalogue import attacks
from evaluators.attacks.sweep import fgsm_sweep
from evaluators.diagnostics.catalogue import DIAGNOSTICS
from evaluators.diagnostics.statistics import accuracy_cells
from evaluators.diagnostics.subject import Subject
from evaluators.diagnostics.table import Table

POINTS = 9
"""Radii from 0 to twice ε; ε is the one in the middle."""


def epsilon(subject: Subject) -> Table:
    """Accuracy under FGSM, PGD and uniform noise at radii from 0 to 2ε, with 95 % intervals.

    Each radius is attacked anew, at the strength of an evaluation. So nothing holds a curve down: one that rises, or
    that stays up where any image could be replaced by any other, says that the attack fails and not the attacker.
    """
    radii = sorted({min(1.0, 2 * subject.settings.epsilon * i / (POINTS - 1)) for i in range(POINTS)})
    standing = {"fgsm": _fgsm(subject, radii)}
    for name in ("pgd", "uniform"):
        standing[name] = [_standing(subject, name, radius) for radius in radii]
    n = len(subject.labels)
    rows = [
        (name, radius, *accuracy_cells(count, n))
        for name, counts in standing.items()
        for radius, count in zip(radii, counts, strict=True)
    ]
    return Table(name="epsilon", columns=DIAGNOSTICS["epsilon"].columns, rows=tuple(rows))


def _fgsm(subject: Subject, radii: list[float]) -> list[int]:
    """How many images stand at each radius; one gradient serves all."""
    standing: Counter[float] = Counter()
    for images, labels in subject.batches():
        broken = fgsm_sweep(subject.model, images, labels, radii, subject.settings.threat)
        standing.update({radius: int((~fell).sum()) for radius, fell in broken.items()})
    return [standing[radius] for radius in radii]


def _standing(subject: Subject, name: str, radius: float) -> int:
    """How many images stand at one radius; at 0 there is nothing to compute but the clean decision."""
    steps = subject.settings.steps if radius else 0
    attack = attacks(steps=steps, restarts=subject.settings.restarts)[name]
    return sum(int((~outcome.broken).sum()) for outcome in subject.attacked(name, attack, radius))
