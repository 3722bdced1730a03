"""Finished trials kept small, so that a long study stays in memory."""

import json
import zlib
from collections.abc import Iterator, Mapping
from sys import intern
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES


class Packed(Mapping[str, Any]):
    """What JSON can hold, compressed; read anew at each look.

    Args:
        attributes: by name.
    """

    __slots__ = ("_content",)

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        packer = zlib.compressobj(zdict=_USUAL)
        self._content = packer.compress(_text(dict(attributes))) + packer.flush()

    def __getitem__(self, name: str) -> Any:
        """What stands under a name."""
        return self._unpacked()[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._unpacked())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._unpacked())

    def __deepcopy__(self, memo: dict[int, Any]) -> "Packed":
        """Itself: it is never changed."""
        return self

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self._content)

    def _unpacked(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(zlib.decompressobj(zdict=_USUAL).decompress(self._content))
        return known


class Slimmer:
    """Makes finished trials of a study small in place: Optuna keeps every trial that it has read."""

    def __init__(self) -> None:
        self._shared: dict[tuple[tuple[str, BaseDistribution], ...], dict[str, BaseDistribution]] = {}

    def slim(self, trial: FrozenTrial) -> None:
        """Compress the user's attributes, and let trials have names and distributions in common."""
        if not isinstance(trial.user_attrs, Packed):
            own = trial.distributions
            trial.distributions = self._shared.setdefault(tuple(own.items()), own)
            trial.params = {intern(name): value for name, value in trial.params.items()}
            trial.user_attrs = Packed(trial.user_attrs)  # type: ignore[assignment]


def _text(attributes: dict[str, Any]) -> bytes:
    return json.dumps(attributes, separators=(",", ":")).encode()


def _usual() -> bytes:
    """What records usually hold, so that their names take no room."""
    one = Measurement(value=0.5, unit="fraction", stderr=0.01, n=256, seconds=0.1).to_json()
    return _text({"record": {"measurements": dict.fromkeys([*OBJECTIVES, "acc"], one), "state": "complete"}})


_USUAL = _usual()
