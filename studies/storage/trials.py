"""The trials of a study as a list that is read from where they are kept."""

import copy
from bisect import bisect_left
from collections.abc import Container, Sequence
from typing import Any, cast, overload

from optuna.trial import FrozenTrial, TrialState

from studies.storage.kept import Kept


class Trials(Sequence[FrozenTrial]):
    """Trials as they were when they were asked for; what was finished is read at each look.

    Args:
        kept: where they are.
        numbers: of those asked for there, ascending; more may be added later.
    """

    def __init__(self, kept: Kept, numbers: Sequence[int]) -> None:
        self._kept, self._numbers, self._count = kept, numbers, len(numbers)
        self._unfinished = {number: one for number, one in kept.unfinished().items() if _has(numbers, number)}

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> FrozenTrial: ...
    @overload
    def __getitem__(self, index: slice) -> list[FrozenTrial]: ...
    def __getitem__(self, index: int | slice) -> FrozenTrial | list[FrozenTrial]:
        """One of them, or several."""
        places = range(len(self))[index]
        return self._read(places) if isinstance(places, int) else [self._read(one) for one in places]

    def __eq__(self, other: object) -> bool:
        """Whether they are the same trials as those of a list."""
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: dict[int, Any]) -> list[FrozenTrial]:
        """A list of copies."""
        return copy.deepcopy([*self], memo)

    def chosen(self, states: Container[TrialState] | None, *, deepcopy: bool) -> list[FrozenTrial]:
        """What Optuna's storages give of them: those in the states; all of them are no list but read as one."""
        if states is None and not deepcopy:
            return cast(list[FrozenTrial], self)
        wanted = [state for state in TrialState if states is None or state in states]
        among = self if any(state.is_finished() for state in wanted) else self._unfinished.values()
        found = [one for one in among if one.state in wanted]
        return copy.deepcopy(found) if deepcopy else found

    def _read(self, place: int) -> FrozenTrial:
        number = self._numbers[place]
        return self._unfinished.get(number) or self._kept[number]


def _has(numbers: Sequence[int], number: int) -> bool:
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number
