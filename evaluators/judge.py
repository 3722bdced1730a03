"""Models attacked under a protocol and a budget: how many images stand."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby

import torch
from torch import Tensor

from evaluators.attacks.base import Attack
from evaluators.attacks.catalogue import build, objective_attack
from evaluators.attacks.judging import CLEAN, Pass, shared
from evaluators.attacks.spec import WORST, AttackSpec
from evaluators.base import Budget, Measurement, Protocol
from evaluators.data.dataset import DataSet, Split
from evaluators.ensemble import Ensemble
from evaluators.objectives import BOUND, OBJECTIVES
from evaluators.robustness.effort import Effort
from evaluators.robustness.worst_case import Findings, WorstCase
from evaluators.seeds import number
from evaluators.verdict import JUDGED
from space import Candidate

TOGETHER = ("pgd_naive", "certified", JUDGED)
"""What the worst case brings."""


class Judge:
    """Attacks any model; remembers what it crafted on the networks that images are transferred from."""

    def __init__(
        self, protocol: Protocol, budget: Budget, data: DataSet, obtain: Callable[[Candidate], Ensemble]
    ) -> None:
        """Attack nothing yet.

        Args:
            protocol, budget: what is held fixed, and how much an attack may spend.
            data: the images.
            obtain: the model of a candidate, to craft images on.
        """
        self._protocol, self._budget, self._data, self._obtain = protocol, budget, data, obtain
        self._transferred: tuple[AttackSpec, Attack] | None = None
        self._source: tuple[Candidate, Ensemble] | None = None

    def objectives(self, model: Ensemble, names: Sequence[str], began: float) -> Iterator[tuple[str, Measurement]]:
        """Yield the named objectives from cheap to dear, and what the worst case brings beside it.

        Args:
            model: what is attacked.
            names: of objectives under attack, or of noise; see `Evaluator.measure`.
            began: since when what was spent belongs to the first of them, on the clock of `perf_counter`.
        """
        for stage in _passes(names):
            yield from self._stage(model, stage, began)
            began = time.perf_counter()

    def accuracies(
        self, model: Ensemble, specs: Sequence[AttackSpec | None], split: Split, began: float
    ) -> Iterator[Measurement]:
        """Yield the accuracy under each specification, None for no attack; neighbours that can share one pass.

        Args:
            model: what is attacked.
            specs: attacks.
            split: images.
            began: since when what was spent belongs to the first pass, on the clock of `perf_counter`.
        """
        for what, neighbours in groupby(specs, key=shared):
            group = [spec or CLEAN for spec in neighbours]
            if what.name == WORST:
                for spec in group:
                    yield self._worst_of(model, spec, split, began)
                    began = time.perf_counter()
                continue
            judged = Pass(attack=self._attack(what), specs=group, seed=self._protocol.seed)
            counts = judged.standing(model, split)
            seconds = (time.perf_counter() - began) / len(group)
            yield from (_accuracy(counts[spec.epsilon], judged.runs, seconds) for spec in group)
            began = time.perf_counter()

    def _stage(self, model: Ensemble, names: Sequence[str], began: float) -> Iterator[tuple[str, Measurement]]:
        """One objective, or those of the worst case; what was spent since `began` is theirs."""
        if JUDGED in names:
            yield from self._worst_case(model, began)
            return
        for name in names:
            spec = objective_attack(name, self._protocol, self._budget)
            split = self._data.validation.head(self._budget.images if spec else 0)
            yield from zip([name], self.accuracies(model, [spec], split, began), strict=True)

    def _worst_case(self, model: Ensemble, began: float) -> Iterator[tuple[str, Measurement]]:
        """Accuracy under plain PGD, bounds, certified and worst-case accuracy; each has the seconds it took.

        A bound took what was spent since plain PGD, and so did the last two, half of it each.
        """
        clock = _Clock(began)
        steps = self._hardest.narrowed(model, self._data.validation.head(self._budget.images))
        naive = _accuracy(next(steps), 1, clock.lap())
        yield "pgd_naive", naive
        if self._protocol.threat == "raw":
            yield BOUND, replace(naive, seconds=0.0)
        try:
            while True:
                yield BOUND, _accuracy(next(steps), 1, clock.passed)
        except StopIteration as done:
            found: Findings = done.value
        half = clock.lap() / 2  # the same searches bring both
        yield "certified", _accuracy(found.certified, 1, half)
        yield JUDGED, replace(_accuracy(found.standing, 1, half), flags=found.flags)

    @cached_property
    def _hardest(self) -> WorstCase:
        """The worst case under this protocol and budget; kept, since it remembers what it crafted on the source."""
        return WorstCase(
            epsilon=self._protocol.epsilon,
            threat=self._protocol.threat,
            effort=Effort(steps=self._budget.steps, restarts=self._budget.restarts),
            seed=self._protocol.seed,
            twins=(self._loaded(Candidate.parse(self._protocol.source)),),
        )

    def _loaded(self, source: Candidate) -> Ensemble:
        """What images are crafted on; the last one is kept, because most candidates share it."""
        if self._source is None or self._source[0] != source:
            self._source = source, self._obtain(source)
        return self._source[1]

    def _worst_of(self, model: Ensemble, spec: AttackSpec, split: Split, began: float) -> Measurement:
        """The worst case at a radius and effort of its own, on any images; flagged with what any run flagged."""
        counts, flags = torch.zeros(len(split), dtype=torch.int64), dict[str, None]()
        for run in range(spec.runs):
            attack = WorstCase(
                epsilon=spec.epsilon,
                threat=spec.threat,
                effort=Effort(steps=spec.steps, restarts=spec.restarts),
                seed=number(self._protocol.seed, "run", str(run)) if run else self._protocol.seed,
                twins=(self._loaded(Candidate.parse(self._protocol.source)),),
            )
            found = attack(model, split)
            counts += found.standing.cpu()
            flags |= dict.fromkeys(found.flags)
        return replace(_accuracy(counts, spec.runs, time.perf_counter() - began), flags=tuple(flags))

    def _attack(self, spec: AttackSpec) -> Attack:
        """The attack; the last one that was transferred is kept, because it remembers what it crafted."""
        if spec.source is None:
            return build(spec)
        if self._transferred is None or self._transferred[0] != spec:
            self._transferred = spec, build(spec, self._loaded(spec.source))
        return self._transferred[1]


class _Clock:
    """Seconds since its last lap."""

    def __init__(self, began: float) -> None:
        self._last = began

    @property
    def passed(self) -> float:
        return time.perf_counter() - self._last

    def lap(self) -> float:
        last, self._last = self._last, time.perf_counter()
        return self._last - last


def _passes(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Names that are measured in one go: those of the worst case together, every other alone."""
    alone = [(name,) for name in names if name not in TOGETHER]
    mine = tuple(name for name in names if name in TOGETHER)
    if JUDGED not in mine and "certified" not in mine:
        return sorted([*alone, *([mine] if mine else [])], key=_rank)
    return sorted([*alone, TOGETHER], key=_rank)


def _rank(names: Sequence[str]) -> int:
    return list(OBJECTIVES).index(names[-1])


def _accuracy(counts: Tensor, runs: int, seconds: float) -> Measurement:
    """From how often each image stood."""
    hits, squares = int(counts.sum()), int(counts.square().sum())
    return Measurement.fraction(hits, len(counts), runs=runs, squares=squares, seconds=seconds)
