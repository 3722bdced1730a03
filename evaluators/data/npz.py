"""Images from an npz file: x_train, y_train, x_test and y_test, as numpy.savez writes them."""

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.data.arrays import Images, Labels, Part, Source
from evaluators.data.memory import COPIES, check_bytes
from space.errors import UserError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_HINT = "numpy.savez(FILE, x_train=…, y_train=…, x_test=…, y_test=…) writes one"


def read_npz(path: Path) -> Source:
    """Read and check the four arrays of an npz file; nothing in the file is executed.

    x_*: uint8, N×H×W (grey) or N×H×W×C with C 1 or 3; y_*: N integers, the classes numbered from 0.
    Raises UserError if the file is missing, damaged or something else, or if an array is.
    """
    arrays = _unpack(path)
    x_train, y_train, x_test, y_test = (arrays[name] for name in ARRAYS)
    return Source(
        train=Part(images=_images("x_train", x_train), labels=_labels("y_train", y_train)),
        test=Part(images=_images("x_test", x_test), labels=_labels("y_test", y_test)),
    )


def _unpack(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        raise UserError("no such data file", got=str(path), hint="check the path")
    if not path.is_file():
        raise UserError("not a data file", got=str(path), expected="an npz file", hint="folders: folder:PATH")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(archive)
            _check_sizes(archive)
            return {name: _array(name, archive.read(f"{name}.npy")) for name in ARRAYS}
    except UserError:
        raise
    except Exception as error:  # damaged files make zipfile and its decompressors raise a dozen types
        what = "the data file is damaged or no npz file"
        raise UserError(what, got=str(path), expected="a zip of npy arrays", hint=_HINT) from error


def _check_names(archive: zipfile.ZipFile) -> None:
    found = {name.removesuffix(".npy") for name in archive.namelist()}
    if absent := [name for name in ARRAYS if name not in found]:
        what = f"the npz file lacks {', '.join(absent)}"
        raise UserError(what, got=", ".join(sorted(found)), expected=", ".join(ARRAYS), hint=_HINT)


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Refuse, before anything is unpacked, what would not fit; zipfile unpacks no more than a file says it holds."""
    needed = sum(archive.getinfo(f"{name}.npy").file_size for name in ARRAYS)
    check_bytes(COPIES * needed, f"{needed / 1e9:.1f} GB in the npz file", "take fewer images")


def _array(name: str, content: bytes) -> NDArray[Any]:
    expected = "a plain array of integers: pickled Python objects are never loaded"
    try:
        kind, promised = _promise(io.BytesIO(content))
        if not kind.hasobject and promised > len(content):
            got = f"{len(content)} bytes for an array of {promised}"
            raise UserError(f"array {name} cannot be read", got=got, expected=expected)
        array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, MemoryError, RecursionError) as error:
        got = str(error).partition(": <")[0][:100]  # no addresses of objects
        raise UserError(f"array {name} cannot be read", got=got, expected=expected) from error
    return array


def _promise(file: io.BytesIO) -> tuple[np.dtype[Any], int]:
    """Type and bytes of the array that a header announces; ValueError for one that can't be read."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"format {version[0]}.{version[1]} of npy files")
    shape, _, kind = _HEADERS[version](file)
    return kind, math.prod(shape) * kind.itemsize


def _images(name: str, array: NDArray[Any]) -> Images:
    if array.dtype != np.uint8:
        hint = "scale to 0 to 255, then .astype('uint8')"
        raise UserError(f"type of {name}", got=str(array.dtype), expected="uint8", hint=hint)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3):
        hint = "channels come last: .transpose(0, 2, 3, 1)" if array.shape[1:2] in ((1,), (3,)) else ""
        raise UserError(f"shape of {name}", got=array.shape, expected="N×H×W, N×H×W×1 or N×H×W×3", hint=hint)
    return array


def _labels(name: str, array: NDArray[Any]) -> Labels:
    if array.dtype.kind not in "iu":
        raise UserError(f"type of {name}", got=str(array.dtype), expected="integers")
    if array.ndim != 1:
        hint = ".reshape(-1)" if array.shape[:1] == (array.size,) else "one number per image, not one-hot"
        raise UserError(f"shape of {name}", got=array.shape, expected="N", hint=hint)
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise UserError(f"label out of range in {name}", got=array.max(), expected="classes numbered from 0")
    return array.astype(np.int64)
