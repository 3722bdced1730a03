"""What trials say, compressed."""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES


class Packed(Mapping[str, Any]):
    """What JSON can hold, compressed; read anew at each look.

    Attributes:
        content: the bytes that `pack` made.
    """

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __getitem__(self, name: str) -> Any:
        """What stands under a name."""
        return unpack(self.content)[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(unpack(self.content))

    def __len__(self) -> int:
        """How many there are."""
        return len(unpack(self.content))

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        """A dictionary, to be changed at will."""
        return unpack(self.content)


def pack(attributes: Mapping[str, Any]) -> bytes:
    """Compress what JSON can hold."""
    packer = zlib.compressobj(zdict=_USUAL)
    return packer.compress(_text(dict(attributes))) + packer.flush()


def unpack(content: bytes) -> dict[str, Any]:
    """Read what `pack` made."""
    known: dict[str, Any] = json.loads(zlib.decompressobj(zdict=_USUAL).decompress(content))
    return known


def _text(attributes: dict[str, Any]) -> bytes:
    return json.dumps(attributes, separators=(",", ":")).encode()


def _usual() -> bytes:
    """What records usually hold, so that their names take no room."""
    one = Measurement(value=0.5, unit="fraction", stderr=0.01, n=256, seconds=0.1).to_json()
    return _text({"record": {"measurements": dict.fromkeys([*OBJECTIVES, "acc"], one), "state": "complete"}})


_USUAL = _usual()
