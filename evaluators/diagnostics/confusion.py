"""Which classes are taken for which (EMPIR, Sen et al. 2020)."""

import torch
from torch import Tensor

from evaluators.diagnostics.catalogue import DIAGNOSTICS
from evaluators.diagnostics.subject import Subject
from evaluators.diagnostics.table import Cell, Table


def confusion(subject: Subject) -> Table:
    """How many images of each class are given each class, clean and under PGD; every pair of classes has a row.

    Under PGD, an image that fell counts as what it was taken for when it fell; one that stood counts as its own class.
    """
    outcomes = list(subject.attacked("pgd", subject.attack("pgd")))
    taken = {
        "clean": [subject.model(outcome.origin) for outcome in outcomes],
        "pgd": [subject.model(outcome.images) for outcome in outcomes],
    }
    classes = int(subject.model.member_logits(subject.images[:1]).shape[2])
    rows: list[tuple[Cell, ...]] = []
    for name, predictions in taken.items():
        counts = count_pairs(subject.labels, torch.cat(predictions), classes)
        rows += [(name, true, other, n) for true, line in enumerate(counts) for other, n in enumerate(line)]
    return Table(name="confusion", columns=DIAGNOSTICS["confusion"].columns, rows=tuple(rows))


def count_pairs(labels: Tensor, predictions: Tensor, classes: int) -> list[list[int]]:
    """How often each label (row) is given each prediction (column)."""
    pairs = torch.bincount(labels * classes + predictions, minlength=classes**2)
    counts: list[list[int]] = pairs.view(classes, classes).tolist()
    return counts
