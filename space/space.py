"""The set of candidates that a search may choose from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Self

from space.axes import AXES, check_axis
from space.candidate import Candidate, Member, MuLaw, Vote
from space.canonical import number
from space.checks import known_name
from space.encoding import Conditional, Trial
from space.errors import UnknownName, UserError
from space.groups import Groups
from space.sources import PRESETS, is_file, read_preset, read_toml
from space.stages import AnyPrecision


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Every combination of its axes, each different candidate once. Axes are kept in ascending order.

    Attributes:
        input_bits: bits of a pixel, each 1 to 8.
        precisions: what a single member may be, "fp" included; tokens and patterns are accepted and read.
        members: how many members there may be, each 1 to 9.
        full_precision: how many members of an ensemble (two or more) are fp; the others are drawn from the
            rest of `precisions`, repetition allowed (other initialisations). A count that is larger than
            an ensemble is not used for it.
        votes: how ensembles may decide.
        mu: strengths of the mu-law mapping, 0 for none, up to 65535.
        mapped_layers: how many of the last layers mu > 0 maps.
        recipes: how members may be trained.
        widths: width multipliers, 0.125 to 8.

    Raises UserError for empty axes, repeated or impossible values, and axes that contradict each other.

    >>> space = SearchSpace.from_toml("precisions = ['fp', 'xnor']\\nmembers = [1, 2]\\nfull_precision = [1]")
    >>> space.size, [str(candidate) for candidate in space.enumerate()]
    (3, ['fp', 'xnor', 'fp+xnor'])
    """

    input_bits: tuple[int, ...] = (8,)
    precisions: tuple[AnyPrecision, ...]
    members: tuple[int, ...] = (1,)
    full_precision: tuple[int, ...] = (0,)
    votes: tuple[Vote, ...] = ("mean",)
    mu: tuple[int, ...] = (0,)
    mapped_layers: tuple[int, ...] = (1,)
    recipes: tuple[str, ...] = ("standard",)
    widths: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, check_axis(field.name, getattr(self, field.name)))
        _ = self.groups  # which refuses axes that contradict each other

    @classmethod
    def from_toml(cls, text_or_path: str | Path) -> Self:
        """Read a TOML: one list per axis, `precisions` at least; the rest default as the attributes do.

        Args:
            text_or_path: a Path is a file; so is text without a line break or "=". Other text is TOML.

        Raises UserError for a file that can't be read, malformed TOML, and what the class refuses.
        """
        return cls.from_json(read_toml(text_or_path))

    @classmethod
    def preset(cls, name: str) -> Self:
        """One of PRESETS; UnknownName with the nearest one otherwise.

        >>> SearchSpace.preset("tiny").size
        34464
        """
        return cls.from_toml(read_preset(name))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the object that `to_json` writes; absent axes have their defaults."""
        if not isinstance(data, Mapping):
            raise UserError("search space", got=data, expected="an object", hint="its keys are " + ", ".join(AXES))
        for name in data:
            known_name("axis of a search space", name, AXES)
        if "precisions" not in data:
            raise UserError(
                "search space lacks precisions",
                got=list(data),
                expected="a list",
                hint="e.g. precisions = ['fp', 'xnor']",
            )
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        """Every axis as a list of numbers or texts."""
        axes = {field.name: list(getattr(self, field.name)) for field in fields(self)}
        return axes | {"precisions": [str(precision) for precision in self.precisions]}

    def sample(self, trial: Trial) -> Candidate:
        """The canonical candidate of a trial's suggestions, in the conditional encoding."""
        return Conditional(self).sample(trial)

    def params(self, candidate: Candidate) -> dict[str, Any]:
        """The parameters for which `sample` returns this candidate; UserError if it is not in the space."""
        return Conditional(self).params(candidate)

    def check_contains(self, candidate: Candidate) -> Candidate:
        """The canonical form of the candidate; UserError if it is not in the space."""
        if not self.contains(candidate):
            what, expected = "candidate outside the search space", "one of its candidates"
            raise UserError(what, got=str(candidate), expected=expected, hint="ask contains() first")
        return candidate.canonical()

    def contains(self, candidate: Candidate) -> bool:
        """Whether the canonical form of the candidate is one of `enumerate()`."""
        one = candidate.canonical()
        return (
            one.input_bits in self.input_bits
            and self.groups.contains(tuple(member.precision for member in one.members))
            and one.vote in self._votes(len(one.members))
            and self._contains_mapping(one.mapping)
            and one.recipe in self.recipes
            and one.width in self.widths
        )

    @property
    def size(self) -> int:
        """Number of different canonical candidates, in closed form."""
        groups = sum(self.groups.count(size) * len(self._votes(size)) for size in self.members)
        mappings = (0 in self.mu) + sum(mu > 0 for mu in self.mu) * len(self.mapped_layers)
        return groups * mappings * len(self.input_bits) * len(self.recipes) * len(self.widths)

    def enumerate(self) -> Iterator[Candidate]:
        """Every candidate once, canonical; lazily, few members first."""
        names = ("vote", "input_bits", "mapping", "recipe", "width")
        mappings = tuple(self._mappings())
        for size in self.members:
            rest = product(self._votes(size), self.input_bits, mappings, self.recipes, self.widths)
            choices: list[dict[str, Any]] = [dict(zip(names, values, strict=True)) for values in rest]
            for group in self.groups.enumerate(size):
                members = number(tuple(map(Member, group)))
                yield from (Candidate(members=members, **choice) for choice in choices)

    @cached_property
    def groups(self) -> Groups:
        """Which precisions may stand together as members."""
        return Groups(precisions=self.precisions, members=self.members, full_precision=self.full_precision)

    def _votes(self, size: int) -> tuple[Vote | None, ...]:
        return self.votes if size > 1 else (None,)

    def _mappings(self) -> Iterator[MuLaw | None]:
        for mu in self.mu:
            yield from (MuLaw(mu, layers) for layers in self.mapped_layers) if mu else (None,)

    def _contains_mapping(self, mapping: MuLaw | None) -> bool:
        if mapping is None:
            return 0 in self.mu
        return mapping.mu in self.mu and mapping.layers in self.mapped_layers


def load_space(name_or_path: str) -> SearchSpace:
    """The search space of a preset's name or of a TOML file (a preset's name wins; write ./tiny for a file).

    Raises UnknownName for what is neither, UserError for a file that can't be read.
    """
    if name_or_path in PRESETS:
        return SearchSpace.preset(name_or_path)
    if is_file(name_or_path) or name_or_path.endswith(".toml") or "/" in name_or_path:
        return SearchSpace.from_toml(Path(name_or_path))
    raise UnknownName("search space (neither a preset nor a TOML file)", name_or_path, PRESETS)
