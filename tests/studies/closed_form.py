"""An evaluator that answers by arithmetic, for tests of everything that happens around one."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from evaluators.base import Budget, Measurement, Protocol
from evaluators.objectives import OBJECTIVES
from evaluators.prices import Prices
from space.candidate import Candidate
from space.space import SearchSpace
from studies.config import StudyConfig

PROTOCOL = Protocol(dataset="closed form", checksum="0", network="none", epsilon=0.2)
BUDGET = Budget()

LARGE = SearchSpace(
    input_bits=(1, 2, 4, 8),
    precisions=(
        *("fp", "pact2", "pact4", "dorefa2-4", "dorefa4-2", "xnor"),
        *("mbn1x1", "mbn2x1", "mbn1x2", "mbn2x2", "mbn3x1", "mbn1x3", "mbn3x3"),
    ),
    members=(1, 2, 3),
    full_precision=(0, 1),
    votes=("mean", "majority"),
    mu=(0, 255),
    mapped_layers=(1, 2, 3),
    widths=(0.5, 1.0),
)
"""34,464 candidates: single members and ensembles, with conditional parameters."""

SIXTY = SearchSpace(
    input_bits=(1, 2, 4, 8),
    precisions=("fp", "pact2", "pact4", "dorefa4-2", "xnor"),
    members=(1, 2),
)
"""5 single members and 10 pairs without fp, each with 4 input bits."""


def config(**changes) -> StudyConfig:
    fields = {
        "objectives": ("acc", "pgd", "bops"),
        "space": LARGE,
        "protocol": PROTOCOL,
        "budget": BUDGET,
        "full": True,
        "sampler": "tpe",
    }
    return StudyConfig(**(fields | changes))


def measurement(name: str, value: float, **more) -> Measurement:
    return Measurement(value=value, unit=OBJECTIVES[name].unit, **more)


def bops(candidate: Candidate) -> float:
    bits = sum(m.precision.weight * m.precision.activation for m in candidate.members)
    return 1e6 * candidate.width**2 * (bits + candidate.input_bits)


def accuracy(candidate: Candidate) -> float:
    """More bits and members help, with diminishing returns; a hash of the design stands for luck."""
    luck = int(candidate.key(), 16) / 16**16
    return 1 - 0.5 / (1 + bops(candidate) / 2e7) - 0.05 * luck


def robustness(candidate: Candidate) -> float:
    """Coarse input helps, and so do different members."""
    kinds = len({m.precision for m in candidate.members})
    luck = int(sha256(candidate.key().encode()).hexdigest()[:8], 16) / 16**8
    return 0.2 + 0.3 * (8 - candidate.input_bits) / 7 + 0.1 * kinds + 0.05 * luck


def nothing(candidate: Candidate, name: str) -> None:
    """No trouble."""


def no_flags(candidate: Candidate) -> tuple[str, ...]:
    """Nothing is doubtful about its robustness."""
    return ()


def naive(candidate: Candidate) -> float:
    """Fine input has a gap to its worst case."""
    return robustness(candidate) + 0.01 * candidate.input_bits


def certified(candidate: Candidate) -> float:
    """A part of what stands."""
    return robustness(candidate) / 2


ANSWERS: dict[str, Callable[[Candidate], float]] = {
    "acc": accuracy,
    "fgsm": lambda candidate: robustness(candidate) + 0.1,
    "certified": certified,
    "pgd_naive": naive,
    "pgd": robustness,
}
TOGETHER = ("pgd_naive", "certified", "pgd")
"""What is measured whenever the last of it is asked for."""


@dataclass
class Arithmetic:
    """Counts what it is asked, and takes `pause` seconds for everything but costs; `flags` are those of pgd."""

    pause: float = 0.0
    trouble: Callable[[Candidate, str], None] = nothing
    protocol: Protocol = PROTOCOL
    budget: Budget = BUDGET
    flags: Callable[[Candidate], tuple[str, ...]] = no_flags
    asked: list[tuple[str, str]] = field(default_factory=list)

    def cost(self, candidate):
        self.trouble(candidate, "cost")
        value = bops(candidate)
        return {"bops": measurement("bops", value), "memory": measurement("memory", value / 100)}

    def measure(self, candidate, names):
        together = {*names, *(TOGETHER if "pgd" in names else ())}
        for name in (name for name in OBJECTIVES if name in together):
            if name in names:
                time.sleep(self.pause)
                self.asked.append((str(candidate), name))
            self.trouble(candidate, name)
            flags = self.flags(candidate) if name == "pgd" else ()
            value = ANSWERS[name](candidate)
            yield name, measurement(name, value, stderr=0.01, n=400, seconds=self.pause, flags=flags)


@dataclass
class Foresighted(Arithmetic):
    """Knows the clean accuracy of candidates of trained members, and runs a clock of its own.

    Attributes:
        training, attack: seconds that a new member and an attack take, by its clock.
        seconds: its clock.
        members: that were trained, each with its input bits, recipe and width.
        log: for each measured candidate, how many members were trained for it, and the clock after it.
    """

    training: float = 20.0
    attack: float = 10.0
    seconds: float = 0.0
    members: set[tuple] = field(default_factory=set)
    log: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def prices(self):
        """What training and attack cost here, in hundreds of a second."""
        return Prices(training=100 * self.training, attack=100 * self.attack)

    def free_accuracy(self, candidates):
        return [measurement("acc", accuracy(one)) if parts(one) <= self.members else None for one in candidates]

    def measure(self, candidate, names):
        fresh = parts(candidate) - self.members
        self.members |= fresh
        self.seconds += self.training * len(fresh) + self.attack * len(candidate.members)
        self.log[str(candidate)] = len(fresh), self.seconds
        yield from super().measure(candidate, names)


def parts(candidate: Candidate) -> set[tuple]:
    """What is trained for a candidate."""
    return {(candidate.input_bits, candidate.recipe, candidate.width, one) for one in candidate.canonical().members}


def story(records):
    """What must not depend on interruptions: everything but the seconds."""
    return [
        (
            one.number,
            one.candidate,
            one.key,
            one.state,
            one.reason,
            {n: m.value for n, m in one.measurements.items()},
        )
        for one in records
    ]
