"""Two collections taken as one."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Either:
    """What is in one of two collections; neither is copied."""

    one: Container[Any]
    other: Container[Any]

    def __contains__(self, item: object) -> bool:
        """Whether it is."""
        return item in self.one or item in self.other
