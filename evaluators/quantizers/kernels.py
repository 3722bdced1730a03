"""Kernels for processors: N thresholds in one pass over memory, compiled without a compiler on the machine.

PyTorch writes each comparison, product and sum of a staircase to memory, some ten passes for each threshold; here a
part of the values stays in the nearest cache for all of them. Every sum has its order written here, by part and by
lane, and no arithmetic may be rearranged: threads, processors and compilers change no bit. The compiled code is
cached on disk, where that may be written.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]

PART = 4096
"""Values that all thresholds are applied to before the next are read: some 50 kB with their gradients."""

LANES = 64
"""Sums kept side by side, so that adding up is as wide as the processor."""

SHARE = 2**15
"""Fewest values worth a thread of their own."""

Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    def compiled(*, kept: bool) -> Function:
        return cast(Function, njit(nogil=True, cache=kept, error_model="numpy")(function))

    try:
        return compiled(kept=True)
    except RuntimeError:  # neither this folder nor the user's can be written: each process compiles for itself
        return compiled(kept=False)


@_compiled
def _add_steps(x: Array, height: Any, shift: Any, out: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(np.uint64(x.size)):
        out[i] += height if x[i] + shift >= zero else -height


@_compiled
def _add_windows(grad: Array, x: Array, height: Any, shift: Any, out: Array, signed: Array, passing: Array) -> None:
    zero, one, lanes, values = x.dtype.type(0), x.dtype.type(1), np.uint64(LANES), np.uint64(x.size)
    for row in range(np.uint64(0), values, lanes):
        for lane in range(min(lanes, values - row)):
            i = row + lane
            shifted, g = x[i] + shift, grad[i]
            passed = g if (shifted <= one) & (shifted >= -one) else zero
            out[i] += height * passed
            passing[lane] += passed
            signed[lane] += g if shifted >= zero else -g


@_compiled
def _add_window(grad: Array, x: Array, height: Any, shift: Any, out: Array) -> None:
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(np.uint64(x.size)):
        shifted = x[i] + shift
        out[i] += height * (grad[i] if (shifted <= one) & (shifted >= -one) else zero)


@_compiled
def _steps(first: int, last: int, x: Array, height: Array, shift: Array, out: Array) -> None:
    for part in range(first, last):
        inside = slice(part * PART, min((part + 1) * PART, x.size))
        out[inside] = 0
        for n in range(height.size):
            _add_steps(x[inside], height[n], shift[n], out[inside])


@_compiled
def _windows(
    first: int, last: int, grad: Array, x: Array, height: Array, shift: Array, out: Array, sums: Array
) -> None:
    for part in range(first, last):
        inside = slice(part * PART, min((part + 1) * PART, x.size))
        out[inside] = 0
        for n in range(height.size):
            _add_windows(grad[inside], x[inside], height[n], shift[n], out[inside], sums[0, part, n], sums[1, part, n])


@_compiled
def _passed(first: int, last: int, grad: Array, x: Array, height: Array, shift: Array, out: Array) -> None:
    for part in range(first, last):
        inside = slice(part * PART, min((part + 1) * PART, x.size))
        out[inside] = 0
        for n in range(height.size):
            _add_window(grad[inside], x[inside], height[n], shift[n], out[inside])


@_compiled
def _levels(first: int, last: int, x: Array, to_level: Any, to_value: Any, highest: Any, out: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(np.uint64(first * PART), np.uint64(min(last * PART, x.size))):
        level = x[i] * to_level
        level = zero if level < zero else level
        level = highest if level > highest else level
        out[i] = np.rint(level) * to_value


@_compiled
def _add_clipped(grad: Array, x: Array, clip: Any, out: Array, above: Array) -> None:
    zero, lanes, values = x.dtype.type(0), np.uint64(LANES), np.uint64(x.size)
    for row in range(np.uint64(0), values, lanes):
        for lane in range(min(lanes, values - row)):
            i = row + lane
            out[i] = grad[i] if (x[i] > zero) & (x[i] < clip) else zero
            above[lane] += grad[i] if x[i] >= clip else zero


@_compiled
def _clipped(first: int, last: int, grad: Array, x: Array, clip: Any, out: Array, above: Array) -> None:
    for part in range(first, last):
        inside = slice(part * PART, min((part + 1) * PART, x.size))
        _add_clipped(grad[inside], x[inside], clip, out[inside], above[part])


def steps(x: Tensor, height: Tensor, shift: Tensor, out: Tensor) -> None:
    """Write Σ_n height_n·sign(x + shift_n) to `out`; all flat, on a processor, of one dtype."""
    _in_threads(_steps, x.numel(), *(_array(one) for one in (x, height, shift, out)))


def windows(grad: Tensor, x: Tensor, height: Tensor, shift: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """Write grad·Σ_n height_n·1[|x + shift_n| <= 1] to `out`; flat, on a processor, of one dtype.

    Returns: N sums of grad·sign(x + shift_n), and N of grad·1[|x + shift_n| <= 1].
    """
    arrays = [_array(one) for one in (grad, x, height, shift, out)]
    sums = np.zeros((2, math.ceil(x.numel() / PART), len(height), LANES), arrays[0].dtype)
    _in_threads(_windows, x.numel(), *arrays, sums)
    signed, passing = torch.from_numpy(sums.sum((1, 3), dtype=np.float64)).to(x.dtype)
    return signed, passing


def passed(grad: Tensor, x: Tensor, height: Tensor, shift: Tensor, out: Tensor) -> None:
    """Write what `windows` writes, without the sums, which only a training asks for."""
    _in_threads(_passed, x.numel(), *(_array(one) for one in (grad, x, height, shift, out)))


def levels(x: Tensor, clip: Tensor, highest: int, out: Tensor) -> None:
    """Write clip(x, 0, clip) to `out`, rounded to a multiple of clip/highest; flat, on a processor, of one dtype."""
    to_level, to_value, top = (_array(one)[()] for one in (highest / clip, clip / highest, clip.new_tensor(highest)))
    _in_threads(_levels, x.numel(), _array(x), to_level, to_value, top, _array(out))


def clipped(grad: Tensor, x: Tensor, clip: Tensor, out: Tensor) -> Tensor:
    """Write grad·1[0 < x < clip] to `out`; flat, on a processor, of one dtype.

    Returns: the sum of grad·1[x >= clip].
    """
    arrays = [_array(one) for one in (grad, x)]
    above = np.zeros((math.ceil(x.numel() / PART), LANES), arrays[0].dtype)
    _in_threads(_clipped, x.numel(), *arrays, _array(clip)[()], _array(out), above)
    return torch.tensor(above.sum(dtype=np.float64), dtype=x.dtype)


def suit(x: Tensor) -> bool:
    """Whether there are kernels for where `x` is, and for its dtype."""
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


def flat(tensor: Tensor, like: Tensor) -> Tensor:
    """The values of a tensor in the order in which those of another of its shape lie in memory."""
    return _flat(tensor.contiguous(memory_format=_layout(like)))


def empty(x: Tensor) -> tuple[Tensor, Tensor]:
    """A new tensor like `x`, dense, and the same flat."""
    out = torch.empty_like(x, memory_format=_layout(x))
    return out, _flat(out)


def _layout(x: Tensor) -> torch.memory_format:
    last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def _flat(tensor: Tensor) -> Tensor:
    return tensor.as_strided((tensor.numel(),), (1,))


def _array(tensor: Tensor) -> Array:
    values: Array = tensor.detach().numpy()
    return values


def _in_threads(kernel: Callable[..., None], values: int, *arrays: Array) -> None:
    parts, threads = math.ceil(values / PART), torch.get_num_threads()
    shares = max(1, min(threads, values // SHARE))
    edges = [parts * share // shares for share in range(shares + 1)]
    others = [_threads(threads).submit(kernel, *edges[i : i + 2], *arrays) for i in range(1, shares)]
    kernel(*edges[:2], *arrays)
    for other in others:
        other.result()


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="kernels")
