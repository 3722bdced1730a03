"""Adversarial images as they stand in a page: PNG, inline."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.console import note
from search.formats import radius
from space import Candidate
from studies import Record

if TYPE_CHECKING:
    from evaluators import Evaluator
    from evaluators.samples import Sample

Json = dict[str, Any]
UNTRAINED = "its members are not kept here; diagnose or evaluate trains them"
NONE_RIGHT = "it gets no image right"


def samples_of(evaluator: Evaluator, records: Iterable[Record], count: int) -> dict[int, Sequence[Json] | str]:
    """Adversarial images of each record by its number, or why there are none; nothing is trained.

    Args:
        evaluator: of the study.
        records: whose candidates fit.
        count: images of each, >= 1.
    """
    found: dict[int, Sequence[Json] | str] = {}
    for record in records:
        candidate = Candidate.parse(record.candidate)
        note(f"adversarial images of #{record.number} {candidate}")
        found[record.number] = _samples(evaluator, candidate, count) if evaluator.known(candidate) else UNTRAINED
    return found


def _samples(evaluator: Evaluator, candidate: Candidate, count: int) -> Sequence[Json] | str:
    from evaluators.samples import adversarial_samples

    epsilon = evaluator.protocol.epsilon
    return [as_json(one, epsilon) for one in adversarial_samples(evaluator, candidate, count)] or NONE_RIGHT


def as_json(sample: Sample, epsilon: float) -> Json:
    """One image three times: clean, perturbed, and their difference: grey for none, black and white for ε."""
    clean, perturbed = (np.asarray(one, dtype=np.float64) for one in (sample.clean, sample.perturbed))
    difference = 0.5 + (perturbed - clean) / (2 * epsilon) if epsilon else np.full_like(clean, 0.5)
    withstood = sample.predicted == sample.label
    became = "withstands" if withstood else f"taken for {sample.predicted}"
    images = {"clean": clean, "perturbed": perturbed, "difference": difference}
    return {
        "text": f"class {sample.label}, {became}; difference times {_magnified(epsilon)}",
        "images": {name: data_uri(one) for name, one in images.items()},
    }


def data_uri(image: NDArray[np.float64]) -> str:
    """An image, C×H×W in [0, 1] with C 1 or 3, as a PNG in a data: address."""
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file (ISO/IEC 15948) of H×W×C pixels, C 1 or 3: eight bits a sample, no row filtered."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _magnified(epsilon: float) -> str:
    """By how much the difference of two pixels is stretched."""
    return f"{1 / (2 * epsilon):.3g}, grey where there is none (ε = {radius(epsilon)})" if epsilon else "nothing"
