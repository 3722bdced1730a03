"""Which precisions may stand together as the members of one candidate."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb

from space.errors import UserError
from space.precision import Precision
from space.stages import AnyPrecision

FP = Precision.parse("fp")


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Single members of any precision, and ensembles of so many fp and the rest other precisions.

    Attributes:
        precisions: what a single member may be.
        members: how many members there may be, each >= 1.
        full_precision: how many members of an ensemble (two or more) are fp. A count larger than an
            ensemble is not used for it.

    Raises UserError where a size or a count can never be used, because the axes contradict each other.
    """

    precisions: tuple[AnyPrecision, ...]
    members: tuple[int, ...]
    full_precision: tuple[int, ...]

    def __post_init__(self) -> None:
        if max(self.full_precision) and FP not in self.precisions:
            hint = "or add 'fp' to precisions"
            raise UserError("full_precision without fp", got=list(self.full_precision), expected="[0]", hint=hint)
        for size in self.ensembles:
            if not self.full_counts(size):
                got = f"members = {size}, full_precision = {list(self.full_precision)}"
                expected = "as many fp as members, or fewer and other precisions beside fp"
                hint = f"change full_precision or precisions, or remove {size} from members"
                raise UserError("no ensemble is possible", got=got, expected=expected, hint=hint)
        used = {full for size in self.ensembles for full in self.full_counts(size)}
        if self.ensembles and (unused := set(self.full_precision) - used):
            expected = f"a count that an ensemble can have, members = {list(self.ensembles)}"
            hint = f"remove {min(unused)} from full_precision"
            raise UserError("full_precision fits no ensemble", got=min(unused), expected=expected, hint=hint)

    @property
    def ensembles(self) -> tuple[int, ...]:
        """The sizes of two members or more."""
        return tuple(size for size in self.members if size > 1)

    @property
    def others(self) -> tuple[AnyPrecision, ...]:
        """The precisions other than fp."""
        return tuple(precision for precision in self.precisions if not precision.float)

    def full_counts(self, size: int) -> tuple[int, ...]:
        """How many members of an ensemble of `size` >= 2 may be fp."""
        return tuple(full for full in self.full_precision if full == size or (full < size and self.others))

    def count(self, size: int) -> int:
        """Number of different groups (multisets) of one size in `members`."""
        if size == 1:
            return len(self.precisions)
        kinds, drawn = len(self.others), [size - full for full in self.full_counts(size)]
        return sum(comb(kinds + k - 1, k) if k else 1 for k in drawn)

    def enumerate(self, size: int) -> Iterator[tuple[AnyPrecision, ...]]:
        """Every group of one size in `members` once, each sorted."""
        if size == 1:
            yield from ((precision,) for precision in self.precisions)
            return
        for full in self.full_counts(size):
            for others in combinations_with_replacement(self.others, size - full):
                yield (*[FP] * full, *others)

    def contains(self, group: tuple[AnyPrecision, ...]) -> bool:
        """Whether `enumerate` yields this group in some order."""
        size, full = len(group), sum(precision.float for precision in group)
        if size not in self.members or not set(group) <= set(self.precisions):
            return False
        return size == 1 or full in self.full_counts(size)
