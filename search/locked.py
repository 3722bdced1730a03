"""Whether what was built again is the network of a lock file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from search.confirming import on_test
from search.console import note, say, table
from search.formats import number
from search.tables.narrow import print_table
from space import UserError
from space.shown import counted

if TYPE_CHECKING:
    from evaluators import Evaluator, Identity
    from studies import Lock

CAUSE = "another version of torch, another processor or another number of threads may train other weights"


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """A network that was built again from a lock file.

    Attributes:
        lock: what the file says.
        members: which trained networks it consists of here.
        measurements: by objective name, as they came out here; those of the lock.
        versions: of what the result depends on, here.
    """

    lock: Lock
    members: Sequence[Identity]
    measurements: Mapping[str, Measurement]
    versions: Mapping[str, str]

    @property
    def compared(self) -> bool:
        """Whether the lock has a hash of the weights of every member to compare with."""
        return bool(self.lock.members) and all(one.weights for one in self.lock.members)

    @property
    def differences(self) -> list[str]:
        """What is not as the lock says, a phrase each; none where all of it is."""
        return [*self._weights(), *self._values()]

    @property
    def conclusion(self) -> str:
        """Whether it is the same network, in one sentence."""
        if self.differences:
            return f"not the network of the lock: {'; '.join(self.differences)}"
        values = f"all {len(self.measurements)} measurements"
        if not self.compared:
            return f"as the lock says: {values}; it has no hash of the weights to compare with"
        count = len(self.members)
        return f"the same network bit for bit: the weights of {counted(count, 'member')}, and {values}"

    @property
    def cause(self) -> str:
        """What may make it another one: what is known to be other here, or what usually does."""
        then, now = self.lock.versions, self.versions
        other = [
            f"{name} {now[name]} here, {then[name]} then" for name in now if then.get(name, now[name]) != now[name]
        ]
        return ", ".join(other) or CAUSE

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "candidate": str(self.lock.candidate),
            "same": not self.differences,
            "weights_compared": self.compared,
            "differences": self.differences,
            "conclusion": self.conclusion,
            "protocol": asdict(self.lock.protocol),
            "budget": asdict(self.lock.budget),
            "members": [asdict(one) for one in self.members],
            "measurements": {name: one.to_json() for name, one in self.measurements.items()},
            "locked": {name: one.to_json() for name, one in self.lock.measurements.items()},
            "versions": dict(self.versions),
        }

    def _weights(self) -> list[str]:
        found = []
        for place, (then, now) in enumerate(zip(self.lock.members, self.members, strict=False), start=1):
            if then.weights and then.weights != now.weights:
                found.append(f"other weights of member {place} ({_short(now.weights)}, not {_short(then.weights)})")
        if self.lock.members and len(self.lock.members) != len(self.members):
            found.append(f"{len(self.members)} members, not {len(self.lock.members)}")
        return found

    def _values(self) -> list[str]:
        found = []
        for name, now in self.measurements.items():
            then = self.lock.measurements[name]
            if (then.value, then.n, then.flags) != (now.value, now.n, now.flags):
                found.append(f"{name} {_exact(now)}, not {_exact(then)}")
        return found


def print_rebuilt(rebuilt: Rebuilt) -> None:
    """A row per objective, then per member, and the conclusion."""
    lock = rebuilt.lock
    title = f"{lock.candidate}, #{lock.number} of {lock.study}, on {lock.part} images"
    grid = table(title, ("", "in the lock", "here", ""), left=1)
    for name, now in rebuilt.measurements.items():
        then = lock.measurements[name]
        grid.add_row(name, _exact(then), _exact(now), "same" if then.value == now.value else "other")
    for place, member in enumerate(rebuilt.members):
        weights = lock.members[place].weights if place < len(lock.members) else None
        known = ("same" if weights == member.weights else "other") if weights else ""
        grid.add_row(f"weights {place + 1}", _short(weights), _short(member.weights), known)
    print_table(grid)
    say(rebuilt.conclusion)


def _exact(one: Measurement) -> str:
    """As precise as images are many: two values that differ look different."""
    if one.unit != "fraction":
        return number(one.value, one.unit) if float(f"{one.value:.3g}") == one.value else f"{one.value:.10g}"
    hits = f" ({one.value * one.n:.6g} of {one.n})" if one.n else ""
    flags = f" {' '.join(one.flags)}" if one.flags else ""
    return f"{100 * one.value:.2f} %{hits}{flags}"


def _short(weights: str | None) -> str:
    return weights[:12] if weights else "unknown"


def measure_lock(evaluator: Evaluator, lock: Lock) -> Iterator[tuple[str, Measurement]]:
    """Measure the network of a lock again, in the way that the lock was; what cost nothing comes first."""
    if lock.part == "test":
        yield from _on_test(evaluator, lock)
        return
    costs = evaluator.cost(lock.candidate)
    yield from ((name, one) for name, one in costs.items() if name in lock.measurements)
    dear = [name for name in lock.measurements if name in OBJECTIVES and name not in costs]
    for name, one in evaluator.measure(lock.candidate, dear) if dear else ():
        if name in dear:
            yield name, one


def _on_test(evaluator: Evaluator, lock: Lock) -> Iterator[tuple[str, Measurement]]:
    """As `confirm` measured it."""
    from evaluators.robustness.verification.settings import Verification

    try:
        settings = Verification(**{**lock.verification, "twins": tuple(lock.verification["twins"])})
    except (KeyError, TypeError) as error:
        raise UserError("damaged lock file", expected="the settings of a verification", hint=str(error)) from error
    for name, one in on_test(evaluator, lock.candidate, [*lock.measurements], settings, _tell):
        if name in lock.measurements:
            yield name, one


def _tell(text: str) -> None:
    note(f"  {text}")
