"""Weights in as few bits as they have values, and back bit for bit; NumPy alone: a reader needs no more.

A weight of k bits, or of k bases, is stored as k bit-planes: plane p holds bit p of every weight, in the order of the
array, eight to a byte, the first in the highest bit (`numpy.packbits`). What the bits stand for is one of

- signs and scale: out × … weights are Σ_p ± scale[p, out], summed from the first plane on, + where the bit is 1;
- codes and levels: a weight is levels[code], or levels[out, code], where plane p holds 2^p;
- mask and kept: weights that are not zero, one after the other, where the one plane holds a 1.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]
Codes = NDArray[np.uint16]
UNEVEN = 1e-5
"""By how much of the largest weight rounding may move a level of an even grid."""

Coded = dict[str, NDArray[np.generic]]
"""Arrays of one weight by the names above, and its shape; or under the name "" the weight itself."""


def planes_of(bits: Iterable[Bits]) -> NDArray[np.uint8]:
    """k arrays of n booleans in, k × ⌈n / 8⌉ bytes out."""
    return np.stack([np.packbits(plane) for plane in bits])


def bits_of(planes: NDArray[np.generic], shape: tuple[int, ...]) -> Iterator[Bits]:
    """k × ⌈n / 8⌉ bytes in, k arrays of this shape out; ValueError where the bytes are not as many as the weights."""
    count = math.prod(shape)
    if planes.dtype != np.uint8 or planes.shape != (len(planes), -(-count // 8)):
        raise ValueError(f"{planes.shape} of {planes.dtype} are no planes of {count} bits")
    return (np.unpackbits(plane, count=count).astype(bool).reshape(shape) for plane in planes.astype(np.uint8))


def in_signs(signs: Bits, scale: Floats) -> Coded:
    """Signs of M bases (M × out × …) and their scales (M × out)."""
    return _shaped(signs.shape[1:]) | {"signs": planes_of(signs), "scale": scale}


def in_levels(codes: Codes, levels: Floats, bits: int) -> Coded:
    """Codes of a weight's shape, below 2^bits, and what they stand for: levels, or out × levels."""
    planes = planes_of((codes >> bit & 1).astype(bool) for bit in range(bits))
    return _shaped(codes.shape) | {"codes": planes, "levels": levels}


def in_mask(weight: Floats) -> Coded:
    """A weight of which many are zero."""
    return _shaped(weight.shape) | {"mask": planes_of([weight != 0]), "kept": weight[weight != 0]}


def as_it_is(weight: Floats) -> Coded:
    """A weight in float32."""
    return {"": weight}


def decoded(coded: Mapping[str, NDArray[np.generic]]) -> Floats:
    """The weight, float32. Raises KeyError, ValueError or IndexError where the arrays do not belong together."""
    if "" in coded:
        return coded[""].astype(np.float32, casting="safe")
    shape = tuple(int(size) for size in coded["shape"])
    if "signs" in coded:
        return _summed(bits_of(coded["signs"], shape), coded["scale"])
    if "codes" in coded:
        return _looked_up(bits_of(coded["codes"], shape), coded["levels"])
    weight = np.zeros(shape, np.float32)
    weight[next(bits_of(coded["mask"], shape))] = coded["kept"]
    return weight


def grids(weight: Floats, bits: int) -> Iterator[Coded]:
    """Even levels from -max|w| to max|w|: all 2^k as DoReFa has them, or the odd number about 0 of a linear quantizer.

    The codes are whole numbers that a device can compute with: levels[code] is code·step - max|w|, rounded.
    """
    peak = float(np.abs(weight).max())
    for count in (2**bits, 2**bits - 1):
        steps = max(count - 1, 1)
        codes = np.rint((weight.astype(np.float64) / (peak or 1) + 1) / 2 * steps).astype(np.uint16)
        even = np.linspace(-peak, peak, count).astype(np.float32)
        levels = even.copy()
        levels[codes] = weight
        if np.allclose(levels, even, rtol=0, atol=UNEVEN * peak):
            yield in_levels(codes, levels, bits)


def tables(weight: Floats, bits: int) -> Iterator[Coded]:
    """Whatever values there are, listed: of the whole weight, or of each channel; nothing where they are too many."""
    for rows in (weight.reshape(1, -1), weight.reshape(len(weight), -1)):
        listed = [np.unique(row) for row in rows]
        if max(map(len, listed)) > 2**bits:
            continue
        levels = np.zeros((len(rows), 2**bits), np.float32)
        for row, values in zip(levels, listed, strict=True):
            row[: len(values)] = values
        codes = [np.searchsorted(values, row).astype(np.uint16) for values, row in zip(listed, rows, strict=True)]
        yield in_levels(np.stack(codes).reshape(weight.shape), levels if len(rows) > 1 else levels[0], bits)


def _shaped(shape: tuple[int, ...]) -> Coded:
    return {"shape": np.array(shape, np.int64)}


def _summed(signs: Iterable[Bits], scale: NDArray[np.generic]) -> Floats:
    heights = scale.astype(np.float32, casting="safe")
    total = np.float32(0)
    for bits, height in zip(signs, heights, strict=True):
        of_channel = height.reshape(-1, *[1] * (bits.ndim - 1))
        total = total + np.where(bits, of_channel, -of_channel)
    return np.asarray(total)


def _looked_up(bits: Iterable[Bits], levels: NDArray[np.generic]) -> Floats:
    codes: Codes = np.sum([plane.astype(np.uint16) << place for place, plane in enumerate(bits)], 0, np.uint16)
    values: Floats = levels.astype(np.float32, casting="safe")
    if values.ndim == 1:
        return np.take(values, codes)
    return np.take_along_axis(values, codes.reshape(len(values), -1), 1).reshape(codes.shape)
