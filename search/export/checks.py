"""What an export must pass before it is called deployable, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluators.base import Measurement
from search.formats import bounded, number

MOST_FLIPS = 0.005
"""Share of images that may be decided otherwise, where rounding puts an activation across a threshold."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is, in few words.
        file: which file it was measured from.
        passed: whether it is as it must be.
        found: what was found, to be read.
        expected: what it must be, to be read.
    """

    name: str
    file: str
    passed: bool
    found: str
    expected: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def agreement(file: str, flips: int, images: int) -> Check:
    """Whether a file decides as the network it was written from, image by image."""
    return Check(
        name="same classes as PyTorch",
        file=file,
        passed=flips <= MOST_FLIPS * images,
        found=f"{flips} of {images} images decided otherwise",
        expected=f"at most {100 * MOST_FLIPS:g} %",
    )


def within(name: str, file: str, hits: int, images: int, claim: Measurement) -> Check:
    """Whether a share of images lies in the 95 % interval of what was claimed of the network."""
    low, high = claim.interval
    return Check(
        name=name,
        file=file,
        passed=low <= hits / images <= high,
        found=f"{number(hits / images, 'fraction')} of {images} images",
        expected=f"within the interval of {bounded(claim)}",
    )


def readable(file: str, problem: str) -> Check:
    """Whether a file could be read and run at all; `problem` is "" where it could."""
    return Check(name="can be read and run", file=file, passed=not problem, found=problem or "yes", expected="yes")


def small_enough(file: str, stored: int, expected: int) -> Check:
    """Whether weights take no more bytes than their bits."""
    return Check(
        name="bytes of the weights",
        file=file,
        passed=stored <= expected,
        found=f"{stored} bytes",
        expected=f"at most {expected} bytes, {8 * expected} bits",
    )


def failures(checks: Sequence[Check]) -> list[str]:
    """What failed, a phrase each."""
    return [f"{one.file}: {one.name}: {one.found} (expected {one.expected})" for one in checks if not one.passed]
