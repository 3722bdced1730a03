"""Choosing by hand: the front as a table to walk through with the keyboard."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evaluators.objectives import find_objective
from search.console import console, front_table
from search.formats import number
from space import UserError
from studies import Limit, by_hand
from studies.records import Record, front

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from studies import Offer, Selection
    from studies.terms import Terms

KEYS = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"k": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"j": "down",
    b"\r": "choose",
    b"\n": "choose",
    b"s": "sort",
    b"l": "limit",
    b"u": "undo",
    b"q": "leave",
    b"\x1b": "leave",
    b"\x04": "leave",
}
HELP = "↑↓ or jk: walk   Enter: choose   s: sort by the next objective   l: limit here   u: undo it   q: leave"
AROUND = 10
"""Lines of the terminal that are not rows of the table."""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Where a person stands in the table; every key makes a new one.

    Attributes:
        records: to choose among.
        objectives: names.
        terms: what a row must meet; limits made here are at the end.
        made: how many of the limits were made here.
        sorted_by: place of the objective that rows are sorted by, best first.
        place: of the row under the cursor.
    """

    records: Sequence[Record]
    objectives: Sequence[str]
    terms: Terms
    made: int = 0
    sorted_by: int = 0
    place: int = 0

    @property
    def rows(self) -> list[Record]:
        """The front under the limits, best first."""
        objective = find_objective(self.objectives[self.sorted_by])
        sign = -1 if objective.maximize else 1
        members = front(self.records, self.objectives, self.terms)
        return sorted(members, key=lambda one: (sign * one.measurements[objective.name].value, one.number))

    @property
    def current(self) -> Record:
        """The row under the cursor."""
        return self.rows[self.place]

    def pressed(self, key: str) -> Walk:
        """The table after a key that neither chooses nor leaves."""
        if key in ("up", "down"):
            step = 1 if key == "down" else -1
            return replace(self, place=min(max(self.place + step, 0), len(self.rows) - 1))
        if key == "sort":
            return self._at(replace(self, sorted_by=(self.sorted_by + 1) % len(self.objectives)))
        if key == "limit":
            return self._at(replace(self, terms=self.terms.tightened([self._limit()]), made=self.made + 1))
        if key == "undo" and self.made:
            fewer = replace(self.terms, limits=self.terms.limits[:-1])
            return self._at(replace(self, terms=fewer, made=self.made - 1))
        return self

    def _limit(self) -> Limit:
        """At least as good as this row, in what rows are sorted by."""
        objective = find_objective(self.objectives[self.sorted_by])
        value = self.current.measurements[objective.name].value
        return Limit(objective.name, ">=" if objective.maximize else "<=", value)

    def _at(self, other: Walk) -> Walk:
        """Another table with the cursor on the same candidate, if that is there."""
        numbers = [one.number for one in other.rows]
        return replace(other, place=numbers.index(self.current.number) if self.current.number in numbers else 0)


def choose_by_hand(offer: Offer, objectives: Sequence[str], terms: Terms) -> Selection | None:
    """Let a person walk through the front; None where they leave without a choice.

    Args:
        offer: what there is to choose from.
        objectives: names.
        terms: come first.
    Raises: UserError without a terminal, and where the terms admit nothing.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("--interactive needs a terminal", got="no terminal", hint="--rule chooses without one")
    offer.select(objectives, terms)  # says what is wrong where nothing is admitted
    walk = _walked(Walk(records=offer.records, objectives=objectives, terms=terms), offer)
    if walk is None:
        return None
    return offer.described(by_hand(walk.current, walk.rows, objectives, walk.terms))


def _walked(walk: Walk, offer: Offer) -> Walk | None:
    """Show the table and follow the keys, until a row is chosen or the person leaves."""
    from rich.live import Live

    screen = console(sys.stderr)  # stdout is for what comes out
    with _keyboard() as keys, Live(console=screen, auto_refresh=False, screen=False, transient=True) as live:
        live.update(_picture(walk, screen, offer), refresh=True)
        for key in keys:
            if key == "choose":
                return walk
            if key == "leave":
                return None
            walk = walk.pressed(key)
            live.update(_picture(walk, screen, offer), refresh=True)
    return None


def _picture(walk: Walk, screen: Console, offer: Offer) -> RenderableType:
    """As many rows around the cursor as there is room for, and what the keys do."""
    from rich.console import Group
    from rich.text import Text

    rows, room = walk.rows, max(1, screen.height - AROUND)
    first = max(0, min(walk.place - room // 2, len(rows) - room))
    name = walk.objectives[walk.sorted_by]
    what = "confirmed front" if offer.confirmation else "front, not confirmed"
    title = f"{what}: {walk.place + 1} of {len(rows)}, sorted by {name}"
    shown = rows[first : first + room]
    table = front_table(screen, shown, walk.objectives, walk.current.number, title, offer.sure)
    limits = " and ".join(_in_words(one) for one in walk.terms.limits)
    return Group(table, Text(f"where {limits}" if limits else "no limits"), Text(HELP, style="dim"))


def _in_words(limit: Limit) -> str:
    return f"{limit.objective} {limit.op} {number(limit.value, find_objective(limit.objective).unit)}"


@contextmanager
def _keyboard() -> Iterator[Iterator[str]]:
    """Keys by name as they are pressed, unechoed; the terminal is as it was afterwards, whatever happens."""
    import termios
    import tty

    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)
    try:
        tty.setcbreak(stream)  # Ctrl-C still interrupts
        yield _keys(stream)
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)


def _keys(stream: int) -> Iterator[str]:
    """Names of known keys, until the terminal closes; keys typed ahead come one by one."""
    while pressed := os.read(stream, 64):
        while pressed:
            known = next((one for one in sorted(KEYS, key=len, reverse=True) if pressed.startswith(one)), pressed[:1])
            if known in KEYS:
                yield KEYS[known]
            pressed = pressed[len(known) :]
