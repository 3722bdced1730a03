"""Candidates of known members that may be tried, and what is known of them before they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

import numpy as np

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from space.candidate import Candidate
from studies.bounds import Bounds
from studies.config import StudyConfig
from studies.design import allowed
from studies.designs import Designs
from studies.limits import first_broken
from studies.pareto import Floats
from studies.prediction import Prediction
from studies.records import Record, values_of
from studies.trial import Evaluates

LEARNED = 150
"""Latest complete records that a prediction learns from."""


@runtime_checkable
class Foresees(Evaluates, Interface):
    """An evaluator that knows the clean accuracy of candidates of trained members for nothing."""

    def free_accuracy(self, candidates: Sequence[Candidate]) -> list[Measurement | None]:
        """What measuring `acc` would give, without training or attack; None where that takes a training."""


@dataclass(frozen=True, eq=False)
class Prospect:
    """A candidate that may be tried.

    Attributes:
        candidate: canonical.
        design: see `Designs`.
        losses: of the study's objectives; clean accuracy stands for every accuracy under attack, as its best case.
    """

    candidate: Candidate
    design: Floats
    losses: Floats


class Prospects:
    """What can be said of candidates of known members: exact costs and clean accuracy, predicted robustness.

    Args:
        config: of the study.
        bounds: of the study.
        evaluator: is asked once for each candidate's costs and clean accuracy.
    """

    def __init__(self, config: StudyConfig, bounds: Bounds, evaluator: Foresees) -> None:
        self._config, self._bounds, self._evaluator = config, bounds, evaluator
        self._designs = Designs(config.space, bounds, config.objectives)
        self._found: dict[str, Prospect | None] = {}

    def of(self, candidates: Mapping[str, Candidate]) -> list[Prospect]:
        """The candidates (by key) that fit the network and the limits, and need no training."""
        new = {key: one for key, one in candidates.items() if key not in self._found}
        self._found |= dict(zip(new, self._look_at([*new.values()]), strict=True))
        return [found for key in candidates if (found := self._found[key]) is not None]

    def losses(self, prospects: Sequence[Prospect], records: Sequence[Record]) -> tuple[Floats, Floats]:
        """Expected losses and their standard deviations, n × objectives each, within the bounds of the study.

        Costs and clean accuracy are exact. An accuracy under attack is predicted from those of LEARNED records, and at
        most the clean one. Of a record that is not trusted on the front it counts as 0, so that its like is avoided.

        Args:
            prospects: n >= 1.
            records: at least one complete one.
        """
        complete = [one for one in records if one.state == "complete"][-LEARNED:]
        learned, asked = self._designs.of_records(complete), np.array([one.design for one in prospects])
        mean = np.array([one.losses for one in prospects])
        deviation = np.zeros_like(mean)
        for axis, name in enumerate(self._config.objectives):
            if OBJECTIVES[name].stage == "attack":
                expected, deviation[:, axis] = Prediction.learn(learned, self._losses(name, complete)).of(asked)
                mean[:, axis] = np.maximum(mean[:, axis], expected)
        return mean, deviation

    def _losses(self, name: str, records: Sequence[Record]) -> Floats:
        """One objective's losses, the worst for records that are not trusted."""
        trusted = [self._config.terms.trusts(record.verdict) for record in records]
        return np.where(trusted, self._bounds.normalise(values_of(records, [name]), [name])[:, 0], 1.0)

    def _look_at(self, candidates: Sequence[Candidate]) -> list[Prospect | None]:
        costs = [allowed(one, self._evaluator.cost, self._config.limits) for one in candidates]
        fit = [one for one, cost in zip(candidates, costs, strict=True) if cost is not None]
        free = iter(self._evaluator.free_accuracy(fit))
        return [
            None if cost is None else self._prospect(one, cost, next(free))
            for one, cost in zip(candidates, costs, strict=True)
        ]

    def _prospect(self, one: Candidate, cost: dict[str, Measurement], clean: Measurement | None) -> Prospect | None:
        if clean is None or first_broken(self._config.limits, known := cost | {"acc": clean}):
            return None
        names = [name if name in known else "acc" for name in self._config.objectives]
        losses = self._bounds.normalise(np.array([[known[name].value for name in names]]), names)[0]
        return Prospect(one, self._designs.of(one, known), losses)
