"""One trial: from cheap to dear, each stage may end it."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from evaluators.base import Budget, Measurement, Protocol
from evaluators.objectives import BOUND, OBJECTIVES
from evaluators.verdict import rules_in, worst
from space.candidate import Candidate
from studies.config import StudyConfig
from studies.limits import Limit, first_broken
from studies.records import State

Report = Callable[[str, Measurement], None]
Lost = Callable[[Mapping[str, Measurement]], str]


def hopeful(known: Mapping[str, Measurement]) -> str:
    """Never give up."""
    return ""


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
    evaluator: Evaluates, candidate: Candidate, config: StudyConfig, report: Report, lost: Lost = hopeful
) -> Outcome:
    """Cost the candidate, then measure it until it is complete, a limit is broken, or it is beaten whatever comes.

    A broken limit on a cost always ends the trial; one on a later measurement does when something dearer
    would follow, and so does lost hope. Whatever the evaluation raises (but an interrupt) is a failed outcome with its
    reason.

    Args:
        evaluator: asked for costs, then for `config.measured`.
        candidate: canonical.
        config: of the study.
        report: called with every measurement when it is known.
        lost: says from what is known why nothing can come of it, or "".
    """
    known: dict[str, Measurement] = {}
    try:
        ended = _measure(evaluator, candidate, config, known, report, lost)
    except Exception as error:  # a study outlives whatever one candidate does to it
        return Outcome(state="failed", measurements=known, reason=one_line(error))
    if isinstance(ended, Limit):
        reason = f"{ended.objective} {known[ended.objective].value:.4g} breaks {ended}"
        return Outcome(state="vetoed", measurements=known, reason=reason)
    return Outcome(state="stopped" if ended else "complete", measurements=known, reason=ended)


def one_line(error: BaseException) -> str:
    """Name an exception: its type, and its message on one printable line of at most 300 characters."""
    text = "".join(c if c.isprintable() else "?" for c in " ".join(str(error).split()))
    text = text if len(text) <= 300 else text[:299] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _measure(
    evaluator: Evaluates,
    candidate: Candidate,
    config: StudyConfig,
    known: dict[str, Measurement],
    report: Report,
    lost: Lost,
) -> Limit | str:
    """Fill `known` with all that was measured; return what ended the trial early: a limit, lost hope, or ""."""
    for name, measurement in evaluator.cost(candidate).items():
        _take(name, measurement, known, report)
    if broken := first_broken(config.limits, known):
        return broken
    for name, measurement in _stages(evaluator, candidate, config.measured):
        _take(name, measurement, known, report)
        if known.keys() >= {*config.measured}:
            known.pop(BOUND, None)
            break
        if ended := first_broken(config.limits, known) or lost(known):
            return ended
    missing = [name for name in (*config.objectives, *config.measured) if name not in known]
    if missing:
        raise ValueError(f"the evaluator gave no {missing[0]}")
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
