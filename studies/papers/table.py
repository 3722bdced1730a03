"""A table of a paper: what was measured on which network, how it was attacked, and the printed figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluators.attacks.spec import AttackSpec

UNKNOWN = "–"
"""Stands for a figure that is not known."""

CLEAN = "clean"
BOPS_UNIT = 1e8
"""Bit operations are printed in 10⁸."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One thing that is measured of every row.

    Attributes:
        name: heads the column.
        attack: accuracy on the test set under it; None for clean accuracy, or for a cost.
        cost: name of a cost model that is reported instead of an accuracy.
        ours: whether the paper has no such column.
    """

    name: str
    attack: AttackSpec | None = None
    cost: str = ""
    ours: bool = False

    @property
    def unit(self) -> str:
        """What its figures are printed in."""
        return "10⁸" if self.cost else "%"

    @property
    def scale(self) -> float:
        """How much one printed unit is: 0.01 of an accuracy, 10⁸ bit operations."""
        return BOPS_UNIT if self.cost else 0.01


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network, or ensemble, of a table.

    Attributes:
        name: as the paper calls it.
        candidate: text form of what stands for it here.
        figures: printed figures by column; a column without one is unknown.
        sources: by column, the candidate that the attack is crafted on, where it is not the row's own.
        note: what a reader must know of this row.
    """

    name: str
    candidate: str
    figures: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a paper.

    Attributes:
        name: what it is called on the command line.
        title: what it shows, in a line.
        paper: authors and year.
        dataset: a key of DATASETS.
        network: name of the topology.
        epochs: of the paper's training, or chosen where it does not say (then a note says so).
        epsilon: radius of its adversarial trainings, in [0, 1].
        columns, rows: in the order of the paper.
        notes: choices that the paper leaves open, and misprints.
    """

    name: str
    title: str
    paper: str
    dataset: str
    network: str
    epochs: int
    epsilon: float
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataInfo:
    """What a data set must look like: channels, height, width, and the number of classes."""

    shape: tuple[int, int, int]
    classes: int

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.shape))}, {self.classes} classes"


DATASETS = {
    "mnist": DataInfo(shape=(1, 28, 28), classes=10),
    "cifar10": DataInfo(shape=(3, 32, 32), classes=10),
    "cifar100": DataInfo(shape=(3, 32, 32), classes=100),
}
"""The papers' data sets that can be had."""


def figures(columns: Sequence[str], printed: str) -> dict[str, float]:
    """Printed figures by column: numbers between spaces, UNKNOWN where there is none.

    >>> figures(("clean", "8", "16"), "81 – 36.7")
    {'clean': 81.0, '16': 36.7}
    """
    pairs = zip(columns, printed.split(), strict=True)
    return {name: float(text) for name, text in pairs if text != UNKNOWN}
