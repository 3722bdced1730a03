"""Every table by name, and the groups that are run together."""

from collections.abc import Iterable, Sequence

from space.errors import UnknownName
from studies.papers import frickenstein, panda, sen, song
from studies.papers.table import Row, Table
from studies.papers.worst import with_worst_case

TABLES: dict[str, Table] = {
    table.name: with_worst_case(table) for paper in (panda, frickenstein, song, sen) for table in paper.TABLES
}
"""In the order of the papers, each with the worst case as a last column where it has attacks.

Their ImageNet tables are out of reach here: neither the images nor the time.
"""

GROUPS: dict[str, tuple[str, ...]] = {"D2": ("D2-mnist", "D2-cifar"), "all": tuple(TABLES)}
"""Names that stand for several tables."""


def find_tables(name: str) -> tuple[Table, ...]:
    """The tables of this name or group, upper or lower case; UnknownName with the nearest."""
    spelling = {known.casefold(): known for known in (*TABLES, *GROUPS)}
    known = spelling.get(name.casefold())
    if known is None:
        raise UnknownName("table", name, (*TABLES, *GROUPS))
    return tuple(TABLES[one] for one in GROUPS.get(known, (known,)))


def choose_rows(tables: Sequence[Table], names: Iterable[str]) -> dict[str, tuple[Row, ...]]:
    """The rows of these names or candidates by table, all rows for no names.

    Tables without any of them are left out. UnknownName for what no table has.
    """
    wanted = set(names)
    known = {name for table in tables for row in table.rows for name in (row.name, row.candidate)}
    for name in sorted(wanted - known):
        raise UnknownName("row", name, {row.name for table in tables for row in table.rows})
    chosen = {
        table.name: tuple(row for row in table.rows if not wanted or wanted & {row.name, row.candidate})
        for table in tables
    }
    return {name: rows for name, rows in chosen.items() if rows}
