"""Studies side by side: which of them compare, and their runs and fronts in bounds of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from space.errors import UserError
from studies.comparison.comparable import check_comparable, group_of
from studies.comparison.runs import Run
from studies.config import StudyConfig
from studies.fronts.bounds import Bounds
from studies.fronts.distance import additive_epsilon, igd_plus
from studies.fronts.history import hypervolume_trace
from studies.fronts.pareto import Floats, non_dominated
from studies.records import Record, feasible_records, front, values_of
from studies.study import Study


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One study among those compared.

    Attributes:
        group: who proposed its candidates.
        study: its folder.
        seed: of its sampler.
        run: its evaluated candidates so far, its running seconds and its hypervolume after each of them.
        front: values of its front, f x k in the objectives' units.
        distance: IGD+ of its front from that of all studies together, in losses from 0 to 1.
        epsilon: additive epsilon of the same.
    """

    group: str
    study: str
    seed: int
    run: Run
    front: Floats
    distance: float
    epsilon: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Studies of one question, answered by several samplers or seeds.

    Attributes:
        config: of the first; the others differ from it in what studies may differ in.
        bounds: the widest of all studies; hypervolumes are measured in them.
        contenders: one per study, in the order in which they were named.
    """

    config: StudyConfig
    bounds: Bounds
    contenders: tuple[Contender, ...]

    @property
    def groups(self) -> dict[str, list[Contender]]:
        """The contenders of each group, in the order in which groups first appear."""
        groups: dict[str, list[Contender]] = {}
        for one in self.contenders:
            groups.setdefault(one.group, []).append(one)
        return groups

    @property
    def best(self) -> float:
        """The largest hypervolume that any of them ended with."""
        return max(one.run[-1][2] for one in self.contenders)


def compare_studies(studies: Sequence[Study]) -> Comparison:
    """Measure studies against each other.

    Args:
        studies: at least one, each with an evaluated candidate.
    Raises: UserError naming what differs, a run that is named twice, or a study without an evaluated candidate.
    """
    check_comparable(studies)
    config, bounds = studies[0].config, _union([study.bounds for study in studies if study.bounds])
    records = [study.records() for study in studies]
    fronts = [values_of(front(some, config.objectives, config.terms), config.objectives) for some in records]
    reference = _best_of(fronts, bounds, config.objectives)
    pairs = zip(studies, records, fronts, strict=True)
    contenders = tuple(_contender(study, some, values, bounds, reference) for study, some, values in pairs)
    return Comparison(config=config, bounds=bounds, contenders=contenders)


def run_of(records: Iterable[Record], config: StudyConfig, bounds: Bounds) -> Run:
    """Evaluations, running seconds and hypervolume after each evaluated record of a study, in these bounds.

    Records count in the order in which their trials ended: with several workers, not that of their numbers.
    """
    records = sorted(records, key=lambda record: (record.at, record.number))
    trace = hypervolume_trace(records, config.objectives, bounds, config.terms)
    feasible = sorted(feasible_records(records, config.terms), key=lambda record: record.at)
    after = {record.number: volume for record, (_, volume) in zip(feasible, trace, strict=True)}
    run: list[tuple[float, float, float]] = []
    for record in (record for record in records if record.evaluated):
        held = run[-1][2] if run else 0.0
        run.append((len(run) + 1.0, record.at, after.get(record.number, held)))
    return run


def _contender(study: Study, records: list[Record], values: Floats, bounds: Bounds, reference: Floats) -> Contender:
    run = run_of(records, study.config, bounds)
    if not run:
        raise UserError("study without an evaluated candidate", got=str(study.folder))
    losses = bounds.normalise(values, study.config.objectives)
    return Contender(
        group=group_of(study),
        study=str(study.folder),
        seed=study.config.seed,
        run=run,
        front=values,
        distance=igd_plus(losses, reference),
        epsilon=additive_epsilon(losses, reference),
    )


def _best_of(fronts: Sequence[Floats], bounds: Bounds, objectives: Sequence[str]) -> Floats:
    """Losses of the front of all fronts; the worst corner where nothing was found."""
    losses = bounds.normalise(np.concatenate(fronts), objectives)
    losses = losses[non_dominated(losses, [False] * len(objectives))]
    return losses if len(losses) else np.ones((1, len(objectives)))


def _union(several: Sequence[Bounds]) -> Bounds:
    """Bounds that hold all of these, which name the same costs."""
    pairs = {name: [bounds.costs[name] for bounds in several] for name in several[0].costs}
    return Bounds({name: (min(low for low, _ in some), max(high for _, high in some)) for name, some in pairs.items()})
