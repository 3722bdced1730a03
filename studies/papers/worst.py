"""The column that no paper has: accuracy under the worst case of an adaptive set of attacks."""

from dataclasses import replace

from evaluators.attacks.spec import WORST, AttackSpec
from studies.papers.table import Column, Table

COLUMN = "worst case"


def with_worst_case(table: Table) -> Table:
    """The table with the worst case at the smallest radius of its attacks as a last column, marked as ours.

    Tables without attacks in a ball, and those whose attacks are crafted elsewhere (black box), stay as they are.
    """
    radii = [column.attack.epsilon for column in table.columns if column.attack and column.attack.epsilon]
    if not radii or any(row.sources.keys() >= _attacked(table) for row in table.rows):
        return table
    attack = AttackSpec(name=WORST, epsilon=min(radii))
    note = (
        f"{COLUMN} (ours): the smallest accuracy that an adaptive set of attacks leaves at ε = {_radius(min(radii))}, "
        "the attacker before any discretizer."
    )
    column = Column(name=COLUMN, attack=attack, ours=True)
    return replace(table, columns=(*table.columns, column), notes=(*table.notes, note))


def _attacked(table: Table) -> set[str]:
    """Columns with an attack."""
    return {column.name for column in table.columns if column.attack}


def _radius(epsilon: float) -> str:
    levels = round(epsilon * 255)
    return f"{levels}/255" if abs(levels / 255 - epsilon) < 1e-9 else f"{epsilon:g}"
