"""What a run shows: a bar and the growing front on a terminal, a line per trial elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.console import by_cost, console, front_table, note, summary
from search.formats import clock, measured
from space.shown import printable
from studies import Measured, RunStarted, TrialFinished, TrialStarted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from studies import Event, Record

Show = Callable[["Event"], None]
AROUND = 9
"""Lines of the terminal that the front's rows leave to everything else."""


@dataclass
class Tally:
    """Where a run stands, told by its events.

    Attributes:
        objectives: names, in the order they are shown.
        now: a clock in seconds.
    """

    objectives: Sequence[str]
    now: Callable[[], float] = time.monotonic
    trials: int = 0
    seconds: float | None = None
    before: int = 0
    evaluated: int = 0
    began: float = 0.0
    current: str = ""
    front: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.now()

    def take(self, event: Event) -> None:
        """Follow one event."""
        if isinstance(event, RunStarted):
            self.trials, self.seconds, self.began = event.trials, event.seconds, self.now()
            self.before = self.evaluated = event.evaluated
        elif isinstance(event, TrialStarted):
            self.current = f"#{event.number} {event.candidate}"
        elif isinstance(event, Measured):
            self.current += f"  {event.name} {measured(event.measurement)}"
        elif isinstance(event, TrialFinished):
            self.evaluated, self.current = event.evaluated, ""
            self.front = by_cost(event.front, self.objectives)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.now() - self.began

    @property
    def left(self) -> float | None:
        """Seconds until the run ends, by its trials or its time, whichever is first; None if unknown.

        How often the front will be measured again once all trials are there, nobody knows.
        """
        done, rest = self.evaluated - self.before, self.trials - self.evaluated
        guesses = [] if self.seconds is None else [self.seconds - self.elapsed]
        guesses += [self.elapsed / done * rest] if done and rest > 0 else []
        return max(0.0, min(guesses)) if guesses else None

    @property
    def share(self) -> float:
        """How much of the run is over, 0 to 1."""
        by_time = self.elapsed / self.seconds if self.seconds else 0.0
        return min(1.0, max(self.evaluated / max(1, self.trials), by_time))

    @property
    def line(self) -> str:
        """Trials, time and time left."""
        if not self.trials:
            return f"getting ready, {clock(self.elapsed)}"
        rest = "" if self.left is None else f", {clock(self.left)} left"
        return f"{self.evaluated}/{self.trials} candidates, {clock(self.elapsed)}{rest}"


@contextmanager
def progress(objectives: Sequence[str]) -> Iterator[Show]:
    """Show a run on stderr: live on a terminal that can, in lines otherwise."""
    tally = Tally(objectives)
    screen = console(sys.stderr)
    if not screen.is_terminal or screen.is_dumb_terminal:
        yield lambda event: _tell(tally, event)
        return
    from rich.live import Live

    with Live(get_renderable=lambda: _picture(tally, screen), console=screen, transient=True):
        yield tally.take


def _tell(tally: Tally, event: Event) -> None:
    """One line per measured trial, with its part in the front, what it repeats, or what went wrong."""
    tally.take(event)
    if isinstance(event, TrialFinished) and (event.record.evaluated or event.record.repeats):
        record = event.record
        outcome = (record.reason, "on the front" if event.on_front else "")
        note(
            "  ".join((f"[{tally.line}] #{record.number} {summary(record, tally.objectives)}", *filter(None, outcome)))
        )


def _picture(tally: Tally, screen: Console) -> RenderableType:
    """The bar, the trial under way, and as much of the front as fits."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(padding=(0, 1))
    head.add_row(ProgressBar(total=1.0, completed=tally.share, width=28), Text(tally.line))
    current = Text(printable(tally.current), no_wrap=True, overflow="ellipsis")
    if not tally.front:
        return Group(head, current)
    rows = tally.front[: max(1, screen.height - AROUND)]
    title = f"front: {len(tally.front)}" + (f", {len(rows)} shown" if len(rows) < len(tally.front) else "")
    front = front_table(screen, rows, tally.objectives, title=title)
    return Group(head, current, front)
