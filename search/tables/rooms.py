"""How far a limit could move before another candidate were chosen, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studies import Room
    from studies.records import Record


def in_words(room: Room) -> str:
    """One sentence: where the limit may lie, and what is chosen beyond.

    Values are written in full, since a limit there is met and one a little further is not.
    """
    limit = room.limit
    beyond = "below" if limit.op == "<=" else "above"
    tight = f"holds to {limit.objective}{limit.op}{_exact(room.tightest)}, {beyond} that {_then(room.tighter)}"
    if room.loosest is None:
        return f"{limit}: the choice {tight}; however loose, it stays"
    loose = f"{limit.objective}{limit.op}{_exact(room.loosest)}"
    return f"{limit}: the choice {tight}; from {loose} on {_then(room.looser)}"


def _then(record: Record | None) -> str:
    return f"#{record.number} {record.candidate} is chosen" if record else "nothing is"


def _exact(value: float) -> str:
    """The shortest text that reads back as the same number."""
    text = f"{value:.10g}"
    return text if float(text) == value else repr(value)
