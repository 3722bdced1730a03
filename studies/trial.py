"""One trial: from cheap to dear, each stage may end it."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from evaluators.base import Budget, Measurement, Protocol
from evaluators.objectives import BOUND, OBJECTIVES, rung_name
from evaluators.verdict import rules_in, worst
from space.candidate import Candidate
from space.errors import OutOfSpace
from space.shown import line
from studies.config import StudyConfig
from studies.limits import Limit, first_broken
from studies.records import State
from studies.stages.halving import Climbs

Report = Callable[[str, Measurement], None]


class Judges(Interface):
    """What may end a trial early: see `studies.stages.gate.Gate`."""

    @property
    def rungs(self) -> Sequence[int]:
        """Epochs after which a trial may end, ascending."""

    def at_rung(self, candidate: Candidate, rung: int, known: Mapping[str, Measurement]) -> str:
        """Why the trial ends there, or ""."""

    def lost(self, known: Mapping[str, Measurement]) -> str:
        """Why nothing can come of what is known, or ""."""


class Open:
    """Lets every trial go on to its end."""

    rungs: Sequence[int] = ()

    def at_rung(self, candidate: Candidate, rung: int, known: Mapping[str, Measurement]) -> str:
        """Go on."""
        return ""

    def lost(self, known: Mapping[str, Measurement]) -> str:
        """Go on."""
        return ""


OPEN = Open()


class Evaluates(Interface):
    """What a study needs of an evaluator."""

    @property
    def protocol(self) -> Protocol:
        """What it holds fixed."""

    @property
    def budget(self) -> Budget:
        """What it spends on one evaluation."""

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """Every cost objective, in milliseconds; UserError if the candidate does not fit the network."""

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """The named measurements, each as soon as it is known, from cheap to dear."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a trial ended: the part of a record that its evaluation decides."""

    state: State
    measurements: Mapping[str, Measurement]
    reason: str = ""


def evaluate(
    evaluator: Evaluates, candidate: Candidate, config: StudyConfig, report: Report, gate: Judges = OPEN
) -> Outcome:
    """Cost the candidate, then measure it until it is complete, a limit is broken, or it is beaten whatever comes.

    A broken limit on a cost always ends the trial; one on a later measurement does when something dearer
    would follow, and so does lost hope. Whatever the evaluation raises (but an interrupt and OutOfSpace) is a failed
    outcome with its reason.

    Args:
        evaluator: asked for costs, then for `config.measured`.
        candidate: canonical.
        config: of the study.
        report: called with every measurement when it is known.
        gate: says from what is known why the trial ends early.
    """
    known: dict[str, Measurement] = {}
    try:
        ended = _measure(evaluator, candidate, config, known, report, gate)
    except OutOfSpace:  # the trial is not to blame: it stays open, and goes again when there is room
        raise
    except Exception as error:  # a study outlives whatever one candidate does to it
        return Outcome(state="failed", measurements=known, reason=one_line(error))
    if isinstance(ended, Limit):
        reason = f"{ended.objective} {known[ended.objective].value:.4g} breaks {ended}"
        return Outcome(state="vetoed", measurements=known, reason=reason)
    return Outcome(state="stopped" if ended else "complete", measurements=known, reason=ended)


def one_line(error: BaseException) -> str:
    """Name an exception: its type, and its message on one printable line of at most 300 characters."""
    text = line(str(error))
    text = text if len(text) <= 300 else text[:299] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _measure(
    evaluator: Evaluates,
    candidate: Candidate,
    config: StudyConfig,
    known: dict[str, Measurement],
    report: Report,
    gate: Judges,
) -> Limit | str:
    """Fill `known` with all that was measured; return what ended the trial early: a limit, lost hope, or ""."""
    for name, measurement in evaluator.cost(candidate).items():
        _take(name, measurement, known, report)
    if broken := first_broken(config.limits, known):
        return broken
    if stopped := _climb(evaluator, candidate, known, report, gate):
        return stopped
    for name, measurement in _stages(evaluator, candidate, config.measured):
        _take(name, measurement, known, report)
        if known.keys() >= {*config.measured}:
            known.pop(BOUND, None)
            break
        if ended := first_broken(config.limits, known) or gate.lost(known):
            return ended
    missing = [name for name in (*config.objectives, *config.measured) if name not in known]
    if missing:
        raise ValueError(f"the evaluator gave no {missing[0]}")
    return ""


def _climb(
    evaluator: Evaluates, candidate: Candidate, known: dict[str, Measurement], report: Report, gate: Judges
) -> str:
    """Measure the candidate at every rung that can still be told; why it ends at one of them, or ""."""
    if not isinstance(evaluator, Climbs):
        return ""
    for rung in gate.rungs:
        if (accuracy := evaluator.rung_accuracy(candidate, rung)) is not None:
            _take(rung_name(rung), accuracy, known, report)
            if ended := gate.at_rung(candidate, rung, known):
                return ended
    return ""


def _stages(evaluator: Evaluates, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
    """The evaluator's measurements, if any are wanted; its generator is closed where the consumer stops."""
    if not names:
        return
    measurements = evaluator.measure(candidate, names)
    try:
        yield from measurements
    finally:
        if isinstance(measurements, Generator):
            measurements.close()


def _take(name: str, measurement: Measurement, known: dict[str, Measurement], report: Report) -> None:
    """Keep a measurement; FloatingPointError for one that can't be compared, ValueError for one that means nothing."""
    if name in OBJECTIVES and not math.isfinite(measurement.value):
        raise FloatingPointError(f"{name} is {measurement.value}")
    if worst(measurement.flags) == "invalid":
        raise ValueError(f"{name} is invalid: {', '.join(rules_in(measurement.flags))}")
    known[name] = measurement
    report(name, measurement)
