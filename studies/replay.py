"""An evaluator that answers from a table of recorded measurements, by a clock of its own: a study in seconds.

What a table holds was measured once, with its seconds, by `benchmarks/table/`. A study on it trains nothing and attacks
nothing; its clock goes on by what that had taken: a member's training where no earlier candidate had it, and each stage
of an attack that was not stopped before.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from evaluators.base import Budget, Measurement, Protocol
from evaluators.objectives import BOUND, OBJECTIVES, stage_of
from evaluators.prices import Prices
from space.candidate import Candidate
from space.errors import UserError
from space.space import SearchSpace

FORMAT = 1

DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error)
"""What reading another file, or a damaged one, may raise."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """All candidates of a space, measured with several seeds.

    Attributes:
        space: of the candidates.
        protocols: of the measurements, one for each seed.
        budget: of every measurement.
        train_images: on which members were trained.
        costs: by candidate's text form, then by name.
        members: for each seed, the seconds of every member's training and of its answers, by the member's name.
        rows: for each seed, by candidate's text form: what was measured, see `Row`.
    """

    space: SearchSpace
    protocols: tuple[Protocol, ...]
    budget: Budget
    train_images: int
    costs: Mapping[str, Mapping[str, float]]
    members: tuple[Mapping[str, float], ...]
    rows: "tuple[Mapping[str, Row], ...]"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError for another file."""
        try:
            data = json.loads(gzip.decompress(path.read_bytes()))
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}")
            return cls.from_json(data)
        except DAMAGE as error:
            expected = "a table of benchmarks/table"
            raise UserError("unreadable table", got=str(path), expected=expected, hint=str(error)[:100]) from error

    def save(self, path: Path) -> None:
        """Write a compressed file, the same bytes for the same table."""
        path.write_bytes(gzip.compress(json.dumps(self.to_json(), separators=(",", ":")).encode(), 9, mtime=0))

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return {
            "format": FORMAT,
            "space": self.space.to_json(),
            "protocols": [vars(one) for one in self.protocols],
            "budget": vars(self.budget),
            "train_images": self.train_images,
            "costs": self.costs,
            "members": self.members,
            "rows": [{text: row.to_json() for text, row in rows.items()} for rows in self.rows],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            space=SearchSpace.from_json(data["space"]),
            protocols=tuple(Protocol(**one) for one in data["protocols"]),
            budget=Budget(**data["budget"]),
            train_images=data["train_images"],
            costs=data["costs"],
            members=tuple(data["members"]),
            rows=tuple({text: Row.from_json(row) for text, row in rows.items()} for rows in data["rows"]),
        )


@dataclass(frozen=True)
class Row:
    """The measurements of one candidate, beyond its costs, in the order in which they came.

    Attributes:
        steps: name, hits, images and seconds of each.
        flags: of the worst case.
    """

    steps: tuple[tuple[str, int, int, float], ...]
    flags: tuple[str, ...] = ()

    def measured(self) -> Iterator[tuple[str, Measurement]]:
        """As an evaluator gives them."""
        for name, hits, images, seconds in self.steps:
            flags = self.flags if name == "pgd" else ()
            one = Measurement.fraction(hits, images, seconds=seconds)
            yield name, Measurement(**{**vars(one), "flags": flags})

    def to_json(self) -> list[Any]:
        """As a JSON list; `from_json` reads it back."""
        return [list(self.steps), list(self.flags)]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Self:
        """Read what `to_json` wrote."""
        steps, flags = data
        return cls(tuple((str(name), int(hits), int(n), float(spent)) for name, hits, n, spent in steps), tuple(flags))


def member_names(candidate: Candidate) -> tuple[str, ...]:
    """What the members of a candidate are trained as: each alone, behind its input, with its width and recipe."""
    one = candidate.canonical()
    place = f"in{one.input_bits}", f"{one.recipe}:x{one.width:g}"
    return tuple(f"{place[0]}:{member.precision}#{member.index}:{place[1]}" for member in one.members)


@dataclass
class Clock:
    """Seconds that went by."""

    seconds: float = 0.0


class Replay:
    """Answers from a table, as an evaluator with an empty cache would have, by a clock of its own.

    Attributes:
        protocol, budget, prices: of the table.

    Args:
        table: with all that may be asked.
        seed: which of the table's.
        kept: whether a member that was trained for one candidate is there for the next.
    """

    def __init__(self, table: Table, seed: int = 0, *, kept: bool = True) -> None:
        self._table, self._seed = table, seed
        self._clock = Clock()
        self.protocol, self.budget = table.protocols[seed], table.budget
        self._costs, self._members, self._rows = table.costs, table.members[seed], table.rows[seed]
        self._kept, self._trained, self._runs = kept, set[str](), dict[int, Replay]()
        self.prices = Prices.of(table.budget, table.train_images)

    @property
    def seconds(self) -> float:
        """What the clock shows."""
        return self._clock.seconds

    def clock(self) -> float:
        """Seconds since the beginning, for `Study.run`."""
        return self.seconds

    def repeated(self, run: int) -> "Replay":
        """Answers from the table's next seeds, in turn, by the same clock; see `studies.repeats.Repeats`.

        What was trained for a run is there when that run is asked for again.
        """
        if run not in self._runs:
            self._runs[run] = Replay(self._table, (self._seed + run - 1) % len(self._table.rows), kept=self._kept)
            self._runs[run]._clock = self._clock
        return self._runs[run]

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """Every recorded cost; UserError for a candidate that the table has not."""
        text = str(candidate.canonical())
        if text not in self._costs:
            raise UserError("candidate outside the table", got=text)
        return {name: Measurement(value=one, unit=OBJECTIVES[name].unit) for name, one in self._costs[text].items()}

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """The named measurements, and those that come with them; the clock goes on by each before it is told."""
        wanted = {name for name in names if stage_of(name) != "cost"}
        if not wanted:
            return
        self._train(candidate)
        for name, one in self._rows[str(candidate.canonical())].measured():
            self._clock.seconds += one.seconds
            yield name, one
            if name != BOUND and not (wanted := wanted - {name}):
                return

    def free_accuracy(self, candidates: Sequence[Candidate]) -> list[Measurement | None]:
        """Clean accuracy of those whose members were trained here."""
        return [None if self.missing(one) else self._clean(one) for one in candidates]

    def missing(self, candidate: Candidate) -> list[str]:
        """Names of the candidate's members that were not trained here."""
        return sorted({*member_names(candidate)} - self._trained)

    def _clean(self, candidate: Candidate) -> Measurement:
        return dict(self._rows[str(candidate.canonical())].measured())["acc"]

    def _train(self, candidate: Candidate) -> None:
        for name in member_names(candidate):
            if name not in self._trained or not self._kept:
                self._clock.seconds += self._members[name]
                self._trained.add(name)
