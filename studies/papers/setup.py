"""What every row of one reproduction has in common, and the evaluator it is measured with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

from evaluators import base
from evaluators.attacks.spec import AttackSpec
from evaluators.base import Budget, Measurement
from space.candidate import Candidate
from space.errors import UserError, unwritable
from studies.papers.catalogue import TABLES
from studies.papers.machine import Machine
from studies.papers.scales import Scale
from studies.papers.stand_in import write_stand_in
from studies.papers.table import DATASETS, DataInfo, Row, Table

BUNDLED = "mnist5k"
"""MNIST images that need no download."""


class Judges(Protocol):
    """What a reproduction asks of an evaluator."""

    @property
    def protocol(self) -> base.Protocol:
        """What is held fixed."""
        ...

    def judge(
        self,
        candidate: Candidate,
        specs: Sequence[AttackSpec | None],
        *,
        part: Literal["validation", "test"] = "validation",
        images: int = 0,
    ) -> Iterator[Measurement]:
        """The accuracy under each attack, in the order given."""
        ...


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One table at one scale, on one data set and device.

    Attributes:
        table: name of a table.
        scale: its budget.
        dataset: a name, `folder:PATH` or `FILE.npz`.
        stand_in: whether these are not the paper's images.
        folder: where results go; the table has a subfolder of its own.
        machine: what it runs on.
        device, cache, data_root, download: as `open_evaluator` takes them.
    """

    table: str
    scale: Scale
    dataset: str
    stand_in: bool
    folder: Path
    machine: Machine
    device: str = "auto"
    cache: Path | str | None = None
    data_root: Path | None = None
    download: bool = False

    @property
    def design(self) -> Table:
        """The table itself."""
        return TABLES[self.table]

    def path(self, row: Row, seed: int) -> Path:
        """Where the result of a row and seed lies."""
        return self.folder / self.table / self.scale.name / f"{file_name(row.name)}-seed{seed}.json"

    def candidate(self, text: str) -> Candidate:
        """The candidate at this scale's width."""
        one = Candidate.parse(text)
        return replace(one, width=one.width * self.scale.width).canonical()

    def attack(self, row: Row, name: str) -> AttackSpec | None:
        """The attack of a column on a row at this scale, with what it is crafted on."""
        column = next(one for one in self.design.columns if one.name == name)
        if column.attack is None:
            return None
        source = row.sources.get(name)
        return replace(self.scale.cut(column.attack), source=None if source is None else self.candidate(source))

    def identity(self, row: Row, protocol: base.Protocol) -> dict[str, Any]:
        """Everything that the figures of a row depend on; a result of another identity is measured again."""
        attacks = {one.name: self.attack(row, one.name) for one in self.design.columns if not one.cost}
        return {
            "table": self.table,
            "row": row.name,
            "candidate": str(self.candidate(row.candidate)),
            "protocol": {name: value for name, value in asdict(protocol).items() if name != "dataset"},
            "epochs": self.scale.epochs or self.design.epochs,
            "train_images": self.scale.train_images,
            "clean_images": self.scale.clean_images,
            "images": self.scale.images,
            "columns": {name: _attack_json(attack) for name, attack in attacks.items()},
            "costs": [column.cost for column in self.design.columns if column.cost],
        }


def choose_data(table: Table, scale: Scale, asked: str | None, folder: Path) -> tuple[str, bool]:
    """The data set to use, and whether it stands in for the paper's own.

    Args:
        table, scale: what is to be reproduced.
        asked: what the user named, if anything.
        folder: where a stand-in for colour images may be written.
    Raises: UserError for a folder that can't be written.
    """
    if asked is not None or scale.name != "smoke":
        return asked or table.dataset, False
    if table.dataset == "mnist":
        return BUNDLED, True
    path = folder / "stand-in.npz"
    try:
        return str(path if path.is_file() else write_stand_in(path)), True
    except OSError as error:
        raise unwritable(folder, error) from error


@lru_cache(maxsize=1)
def open_judge(setup: Setup, seed: int) -> Judges:
    """The evaluator of a setup and seed; UserError for data that is absent or does not fit the table."""
    from evaluators import open_evaluator

    table = setup.design
    evaluator = open_evaluator(
        dataset=setup.dataset,
        network=table.network,
        epsilon=table.epsilon,
        source=str(setup.candidate("fp")),
        seed=seed,
        budget=Budget(epochs=setup.scale.epochs or table.epochs, train_images=setup.scale.train_images),
        device=setup.device,
        cache=setup.cache,
        data_root=setup.data_root,
        download=setup.download,
    )
    if not setup.stand_in:
        check_data(table, DataInfo(shape=evaluator.data.shape, classes=evaluator.data.classes))
    return evaluator


def check_data(table: Table, found: DataInfo) -> None:
    """UserError unless the images look like those of the table's paper."""
    wanted = DATASETS[table.dataset]
    if found != wanted:
        expected = f"{wanted}, as {table.dataset} has"
        raise UserError(f"data set that does not fit table {table.name}", got=found, expected=expected)


def file_name(text: str) -> str:
    """A row's name as part of a file's name: letters and digits, all else as single dashes."""
    spelt = text.lower().replace("%", " percent").replace("+", " plus ")
    return "-".join("".join(sign if sign.isascii() and sign.isalnum() else " " for sign in spelt).split())


def _attack_json(attack: AttackSpec | None) -> Mapping[str, Any] | None:
    if attack is None:
        return None
    return {**asdict(attack), "source": None if attack.source is None else str(attack.source)}
