"""A stop watch on any clock."""

from collections.abc import Callable


class Watch:
    """Seconds since it was made.

    Args:
        clock: seconds since any moment; never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._start = clock, clock()

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return self._clock() - self._start
