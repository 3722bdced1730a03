"""What a diagnostic found, as plain values."""

from dataclasses import dataclass
from typing import Any

from space.shown import csv_text

Cell = str | int | float


@dataclass(frozen=True, kw_only=True)
class Table:
    """Named columns and their rows; a diagnostic's picture and its summary know nothing else.

    Attributes:
        name: of the diagnostic.
        columns: names, each once.
        rows: one cell per column, at least one row; every number is finite.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def where(self, **cells: Cell) -> "Table":
        """The rows that hold these cells, by column."""
        wanted = {self.columns.index(name): cell for name, cell in cells.items()}
        kept = (row for row in self.rows if all(row[index] == cell for index, cell in wanted.items()))
        return Table(name=self.name, columns=self.columns, rows=tuple(kept))

    def numbers(self, column: str) -> list[float]:
        """A column of numbers, row by row."""
        index = self.columns.index(column)
        return [float(row[index]) for row in self.rows]

    def distinct(self, column: str) -> list[Any]:
        """The different cells of a column, in the order of their first rows."""
        index = self.columns.index(column)
        return list(dict.fromkeys(row[index] for row in self.rows))

    def to_csv(self) -> str:
        """A header and a line per row; floats in full precision."""
        return csv_text(self.columns, self.rows)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}
