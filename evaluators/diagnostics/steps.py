"""Accuracy against PGD's steps: the worst threat model is searched, not assumed (Frickenstein et al. 2023)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attacked
from evaluators.diagnostics.catalogue import DIAGNOSTICS
from evaluators.diagnostics.statistics import accuracy_cells
from evaluators.diagnostics.subject import Subject
from evaluators.diagnostics.table import Cell, Table


@dataclass(kw_only=True)
class Watched(Attacked):
    """An outcome that remembers how many images stood after each step.

    Attributes:
        counts: at its start, then after every step that was taken; an attack ends when nothing stands.
    """

    counts: list[int] = field(default_factory=list)

    def record(self, iterate: Tensor, standing: Tensor, fallen: Tensor, loss: Tensor) -> None:
        """Take in the iterates, and count what still stands."""
        super().record(iterate, standing, fallen, loss)
        self.counts.append(len(self.standing))


def steps(subject: Subject) -> Table:
    """Accuracy after 0, 1, 2, 5, 10, … steps of PGD, for every step size; one run from one random start for each.

    An image that has fallen stays fallen, so that no curve rises. `alpha` is a share of ε, `step_size` is in [0, 1] of
    the pixel range; `worst` is 1 for the step size that leaves the lowest accuracy, 0 for the others. At α = 1/4 the
    start is that of an evaluation's PGD, and so are the steps.
    """
    marks, n = checkpoints(subject.settings.steps), len(subject.labels)
    standing = {alpha: _standing(subject, alpha, marks) for alpha in sorted(set(subject.settings.alphas))}
    worst = worst_alpha(standing)
    rows: list[tuple[Cell, ...]] = [
        (alpha, alpha * subject.settings.epsilon, mark, *accuracy_cells(count, n), int(alpha == worst))
        for alpha, counts in standing.items()
        for mark, count in zip(marks, counts, strict=True)
    ]
    return Table(name="steps", columns=DIAGNOSTICS["steps"].columns, rows=tuple(rows))


def checkpoints(last: int) -> list[int]:
    """0, then 1, 2 and 5 times the powers of ten up to `last`, and `last` itself.

    >>> checkpoints(60)
    [0, 1, 2, 5, 10, 20, 50, 60]
    """
    decades = (10**power for power in range(len(str(last))))
    return sorted({0, last, *(m * decade for decade in decades for m in (1, 2, 5) if m * decade < last)})


def worst_alpha(standing: Mapping[float, Sequence[int]]) -> float:
    """The step size after whose last checkpoint the fewest images stand; of several, the one with fewest on the way."""
    return min(standing, key=lambda alpha: (standing[alpha][-1], sum(standing[alpha]), alpha))


def _standing(subject: Subject, alpha: float, marks: list[int]) -> list[int]:
    """How many images stand at each checkpoint."""
    attack = Ascent(steps=marks[-1], step_size=alpha, start="uniform")
    totals = [0] * len(marks)
    for batch, (images, labels) in enumerate(subject.batches()):
        threat = subject.threat()
        outcome = Watched.untouched(subject.model, threat.origin(subject.model, images), labels)
        attack.go_on(outcome, subject.model, labels, threat, subject.noise("pgd", batch))
        counts = outcome.counts or [len(outcome.standing)]
        totals = [total + counts[min(mark, len(counts) - 1)] for total, mark in zip(totals, marks, strict=True)]
    return totals
