"""What is fixed when a study is created: its config, its bounds, its first design, and who made it."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any, Self

from evaluators.seeds import number
from space.errors import UserError
from studies.config import StudyConfig, check_same, renamed
from studies.fronts.bounds import Bounds, measure_bounds
from studies.limits import check_limits
from studies.proposals.prospects import Foresees
from studies.samplers.choice import Choice, Task, choose
from studies.samplers.design import DRAWS, cost_axis, distinct, draws, first_design
from studies.trial import Evaluates

MODELLED, UNMODELLED = 4, 10
"""Candidates that are tried first: where a model chooses from then on, few are enough to begin with."""

FORMAT = 4
"""Raised when an older version could misread a study. In format 1, `pgd` was the plain PGD, judged by nothing; formats
1 and 2 know no proposals from the pool, 1 to 3 no sampler that was chosen."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What is fixed when a study is created.

    Attributes:
        config: its identity.
        choice: its sampler.
        bounds: cheapest and dearest cost, frozen.
        design: text forms of the candidates that are tried first.
        versions: of python, bitfront and what its results depend on, when it was created.
        format: of the version that created it.
    """

    config: StudyConfig
    choice: Choice
    bounds: Bounds
    design: tuple[str, ...]
    versions: Mapping[str, str]
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return {
            "format": self.format,
            "config": self.config.to_json(),
            "sampler": self.choice.to_json(),
            "bounds": self.bounds.to_json(),
            "design": list(self.design),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; ValueError for a later format."""
        if data["format"] not in range(1, FORMAT + 1):
            raise ValueError(f"the study has format {data['format']}, this version reads 1 to {FORMAT}")
        config, choice = StudyConfig.from_json(data["config"]), data.get("sampler")
        return cls(
            config=config,
            choice=Choice.from_json(choice) if choice else Choice.of_an_earlier_version(config.sampler),
            bounds=Bounds.from_json(data["bounds"]),
            design=tuple(data["design"]),
            versions=data["versions"],
            format=data["format"],
        )

    def check_resumable(self, config: StudyConfig, where: object) -> None:
        """Raise UserError if a run of `config` would put what can't be compared beside the study's records."""
        if self.format == 1 and "pgd" in self.config.measured:
            hint = "choose another --out; plot and select still read it"
            raise UserError(f"{where} holds a study of an earlier version, whose pgd was the plain PGD", hint=hint)
        same, config = self.choice.means(config.sampler), renamed(config, self.config)
        check_same(self.config, replace(config, sampler=self.config.sampler) if same else config, where)


def make_header(config: StudyConfig, evaluator: Evaluates, trials: int) -> Header:
    """Cost the space's extremes and a random sample, check the limits, and choose the first design.

    Args:
        config: of the new study.
        evaluator: only its `cost` is asked, some hundred times.
        trials: of the first run, by which `auto` goes; the design takes a third of them, at most MODELLED or
            UNMODELLED.
    Raises: UserError for limits that no candidate can meet, or when none fits the network.
    """
    cost = cache(evaluator.cost)
    modelled = config.proposals == "model" and isinstance(evaluator, Foresees)
    pool = distinct(islice(draws(config.space, number(config.seed, "design", "pool")), DRAWS))
    bounds = measure_bounds(config.space, cost, pool)
    check_limits(config.limits, bounds)
    design = first_design(
        pool,
        cost,
        count=min(MODELLED if modelled else UNMODELLED, trials // 3),
        by=cost_axis(config.objectives),
        limits=config.limits,
        seed=number(config.seed, "design", "choice"),
    )
    task = Task(config.space.size, len(config.objectives), trials, modelled, bool(config.limits))
    return Header(
        config=config,
        choice=choose(config.sampler, task),
        bounds=bounds,
        design=tuple(map(str, design)),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Versions of what a result depends on; a package that is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in ("bitfront", "optuna", "torch", "numpy", "pyautoattack"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
