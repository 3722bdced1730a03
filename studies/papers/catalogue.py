"""Every table by name, and the groups that are run together."""

from space.errors import UnknownName
from studies.papers import frickenstein, panda, sen, song
from studies.papers.table import Table

TABLES: dict[str, Table] = {
    table.name: table for paper in (panda, frickenstein, song, sen) for table in paper.TABLES
}
"""In the order of the papers. Their ImageNet tables are out of reach here: neither the images nor the time."""

GROUPS: dict[str, tuple[str, ...]] = {"D2": ("D2-mnist", "D2-cifar"), "all": tuple(TABLES)}
"""Names that stand for several tables."""


def find_tables(name: str) -> tuple[Table, ...]:
    """The tables of this name or group, upper or lower case; UnknownName with the nearest."""
    spelling = {known.casefold(): known for known in (*TABLES, *GROUPS)}
    known = spelling.get(name.casefold())
    if known is None:
        raise UnknownName("table", name, (*TABLES, *GROUPS))
    return tuple(TABLES[one] for one in GROUPS.get(known, (known,)))
