"""Accuracy against the attacker's radius."""

from collections import Counter

from evaluators.attacks.sweep import broken_at
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
    standing = {
        "fgsm": _swept(subject, "fgsm", radii),
        "pgd": [_attacked(subject, radius) for radius in radii],
        "uniform": _swept(subject, "uniform", radii),
    }
    n = len(subject.labels)
    rows = [
        (name, radius, *accuracy_cells(count, n))
        for name, counts in standing.items()
        for radius, count in zip(radii, counts, strict=True)
    ]
    return Table(name="epsilon", columns=DIAGNOSTICS["epsilon"].columns, rows=tuple(rows))


def _swept(subject: Subject, name: str, radii: list[float]) -> list[int]:
    """How many images stand at each radius, all of them in one pass; an attack of no steps is none at any radius."""
    standing: Counter[float] = Counter()
    attack, where = subject.attack(name), subject.settings.threat
    for batch, (images, labels) in enumerate(subject.batches()):
        for group in [radii] if subject.settings.steps else [[radius] for radius in radii]:
            draws = subject.noise(name, batch)
            broken = broken_at(attack, subject.model, images, labels, group, draws, where)
            standing.update({radius: int((~fell).sum()) for radius, fell in broken.items()})
    return [standing[radius] for radius in radii]


def _attacked(subject: Subject, radius: float) -> int:
    """How many images stand under PGD at one radius; at 0 there is nothing to compute but the clean decision."""
    attack = subject.attack("pgd", steps=None if radius else 0)
    return sum(int((~outcome.broken).sum()) for outcome in subject.attacked("pgd", attack, radius))
