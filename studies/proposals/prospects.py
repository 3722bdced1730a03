"""Candidates that may be tried, and what is known of them before they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import BOUND, OBJECTIVES, stage_of
from evaluators.prices import Prices
from space.candidate import Candidate
from studies.config import StudyConfig
from studies.fronts.bounds import Bounds
from studies.fronts.pareto import Floats
from studies.limits import first_broken
from studies.proposals.designs import Designs
from studies.proposals.prediction import Prediction
from studies.records import Record
from studies.samplers.design import allowed
from studies.trial import Evaluates

LEARNED = 150
"""Latest records that a prediction learns from."""


@runtime_checkable
class Foresees(Evaluates, Interface):
    """An evaluator that knows the clean accuracy of candidates of trained members for nothing, and what others cost."""

    @property
    def prices(self) -> Prices:
        """What trainings and attacks cost, in passes."""

    def free_accuracy(self, candidates: Sequence[Candidate]) -> list[Measurement | None]:
        """What measuring `acc` would give, without training or attack; None where that takes a training."""


@dataclass(frozen=True, eq=False)
class Prospect:
    """A candidate that may be tried.

    Attributes:
        candidate: canonical.
        design: see `Designs`.
        costs: losses of the objectives that are costs, in their order.
        clean: loss in clean accuracy, None where that takes a training.
    """

    candidate: Candidate
    design: Floats
    costs: Floats
    clean: float | None


class Prospects:
    """What can be said of candidates: exact costs, exact clean accuracy of known members, the rest predicted.

    Args:
        config: of the study.
        bounds: of the study.
        evaluator: is asked for costs and clean accuracies.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds, evaluator: Foresees) -> None:
        self._config, self._bounds, self._evaluator = config, bounds, evaluator
        self._designs = Designs(config.space, bounds, config.objectives)
        self._priced = [name for name in config.objectives if stage_of(name) == "cost"]
        self._judges = "acc" in config.measured

    def of(self, candidates: Sequence[Candidate], *, trained: bool) -> list[Prospect | None]:
        """What is known of each; None for what does not fit the network or breaks a limit.

        Args:
            candidates: canonical.
            trained: whether all their members are.
        """
        costs = [allowed(one, self._evaluator.cost, self._config.limits) for one in candidates]
        fit = [one for one, cost in zip(candidates, costs, strict=True) if cost is not None]
        free = iter(self._evaluator.free_accuracy(fit) if trained else [None] * len(fit))
        return [
            None if cost is None else self._prospect(one, cost, next(free))
            for one, cost in zip(candidates, costs, strict=True)
        ]

    def losses(self, prospects: Sequence[Prospect], records: Sequence[Record]) -> tuple[Floats, Floats]:
        """Expected losses and their standard deviations, n × objectives each, within the bounds of the study.

        Costs are exact, and so is the clean accuracy of known members. What is not known is predicted from LEARNED
        records, an accuracy under attack as at most the clean one. Of a record that is not trusted on the front it
        counts as 0, so that its like is avoided; of one that was stopped, as what still stood.

        Args:
            prospects: n >= 1.
            records: at least one of them complete.
        """
        records = [one for one in records if self.tells(one)][-LEARNED:]
        learned, asked = self._designs.of_records(records), np.array([one.design for one in prospects])
        clean, doubt = self._clean(prospects, records, learned, asked)
        groups = [*self._designs.groups]
        if self._judges:
            learned = np.column_stack([learned, self._losses("acc", records)])
            asked, groups = np.column_stack([asked, clean]), [*groups, range(asked.shape[1], asked.shape[1] + 1)]
        mean, deviation = np.zeros((2, len(prospects), len(self._config.objectives)))
        costs = iter(np.array([one.costs for one in prospects]).T)
        for axis, name in enumerate(self._config.objectives):
            if OBJECTIVES[name].stage == "attack":
                expected, deviation[:, axis] = Prediction.learn(learned, self._losses(name, records), groups).of(asked)
                mean[:, axis] = np.maximum(clean, expected)
            elif name == "acc":
                mean[:, axis], deviation[:, axis] = clean, doubt
            else:
                mean[:, axis] = next(costs)
        return mean, deviation

    def tells(self, record: Record) -> bool:
        """Whether there is something to learn from it for every objective: it is complete, or stopped with a bound."""
        if record.state == "complete":
            return True
        known = record.measurements.keys() | ({"pgd"} if BOUND in record.measurements else set())
        return record.state == "stopped" and known >= {*self._config.measured}

    def _clean(
        self, prospects: Sequence[Prospect], records: Sequence[Record], learned: Floats, asked: Floats
    ) -> tuple[Floats, Floats]:
        """Losses in clean accuracy and their deviations; the best case where nothing was ever measured."""
        known = np.array([np.nan if one.clean is None else one.clean for one in prospects])
        unknown, doubt = np.isnan(known), np.zeros(len(known))
        if not unknown.any():
            return known, doubt
        known[unknown] = 0.0
        if self._judges:
            expected, deviation = Prediction.learn(learned, self._losses("acc", records), self._designs.groups).of(
                asked[unknown]
            )
            known[unknown], doubt[unknown] = np.clip(expected, 0.0, 1.0), deviation
        return known, doubt

    def _losses(self, name: str, records: Sequence[Record]) -> Floats:
        """One objective's losses, those under attack the worst for records that are not trusted."""
        values = np.array([[one.measurements[name if name in one.measurements else BOUND].value] for one in records])
        losses = self._bounds.normalise(values, [name])[:, 0]
        if OBJECTIVES[name].stage != "attack":
            return losses
        trusted = [self._config.terms.trusts(record.verdict) for record in records]
        return np.where(trusted, losses, 1.0)

    def _prospect(self, one: Candidate, cost: dict[str, Measurement], clean: Measurement | None) -> Prospect | None:
        if clean is not None and first_broken(self._config.limits, cost | {"acc": clean}):
            return None
        values = np.array([[cost[name].value for name in self._priced]])
        losses = self._bounds.normalise(values, self._priced)[0] if self._priced else np.empty(0)
        return Prospect(one, self._designs.of(one, cost), losses, None if clean is None else 1.0 - clean.value)
