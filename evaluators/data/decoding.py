"""Image files as one array: upright, of one size, all grey or all in colour."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from evaluators.data.arrays import Images
from evaluators.data.memory import check_memory
from space.errors import UserError

FORMATS = ("PNG", "JPEG")
"""What a file may hold: Pillow reads more, some of it by starting other programs."""

GREY = ("1", "L", "LA")
"""Pillow's modes of grey images; all others are colour."""

ORIENTATION = 0x0112
"""EXIF's tag for how the camera was held."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Value of that tag -> what turns the image as viewers show it."""

LONGEST = 50
"""How many times its width an image that is resized may be high, or the other way round."""


def read_images(root: Path, files: list[Path], size: int | None = None) -> Images:
    """Decode PNG and JPEG files into N×H×W×C, C 3 if any of them is in colour, else 1.

    Alpha channels are dropped. Every file is opened before the first is decoded, so that what is no image, or too
    much for the memory, is found early.

    Args:
        root: folder that messages name files from.
        files: at least one.
        size: height and width that images are resized to; without it, they must be of equal size.
    Raises: UserError if a file is damaged or of another size, or if all do not fit into memory.
    """
    with warnings.catch_warnings():  # Pillow remarks on odd metadata of images that it reads well
        warnings.simplefilter("ignore")
        colour = [_is_colour(root, file) for file in files]
        height, width, _ = _decode(root, files[0], size).shape
        shape = (len(files), height, width, 3 if any(colour) else 1)
        check_memory(shape)
        images = np.empty(shape, dtype=np.uint8)
        for place, file in zip(images, files, strict=True):
            image = _decode(root, file, size)
            _check_size(place, image, file.relative_to(root))
            place[:] = image
    return images


def resize(image: Image.Image, size: int) -> Image.Image:
    """Resize the shorter side to 8/7 of `size`, bilinear and antialiased, and cut size×size from the centre.

    For 224 this is the usual evaluation on ImageNet (256, then 224), to the pixel as torchvision does it.
    """
    shorter, longer = min(image.size), max(image.size)
    if longer > LONGEST * shorter:
        raise UserError("image too long to be resized", got=f"{image.width}x{image.height}", expected=_RATIO)
    target = round(size * 8 / 7)
    width, height = (target if side == shorter else int(target * side / shorter) for side in image.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    return resized.crop((left, top, left + size, top + size))


_RATIO = f"a longer side of at most {LONGEST} times the shorter"


def _is_colour(root: Path, file: Path) -> bool:
    with _naming(root, file):
        if not file.is_file():  # opening a pipe would wait for a writer for ever
            file.stat()
            raise ValueError("not a regular file")
        with Image.open(file, formats=FORMATS) as image:
            if image.mode[0] in "IF" or any("16" in str(tile.args) for tile in image.tile):
                raise ValueError("more than 8 bits per channel")
            grey = image.mode in GREY
            image.verify()  # compares the checksums of PNG files, which decoding does not
    return not grey


def _decode(root: Path, file: Path, size: int | None) -> Images:
    with _naming(root, file), Image.open(file, formats=FORMATS) as image:
        image.load()
        upright = _upright(_plain(image), _orientation(image))
        pixels = np.asarray(resize(upright, size) if size else upright)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _plain(image: Image.Image) -> Image.Image:
    """Grey or red, green and blue; a palette's transparency goes the same way as an alpha channel."""
    if image.mode == "P":
        image = image.convert("RGBA")
    return image.convert("L" if image.mode in GREY else "RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged metadata, which says nothing about the pixels
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _check_size(place: Images, image: Images, name: Path) -> None:
    if image.shape[:2] != place.shape[:2]:
        got, expected = f"{_size(image)} in {name}", f"{_size(place)}, the size of the first"
        hint = "folder:PATH@SIZE resizes them all, for instance folder:PATH@224"
        raise UserError("images of unequal size", got=got, expected=expected, hint=hint)


@contextmanager
def _naming(root: Path, file: Path) -> Iterator[None]:
    """Name the file in whatever goes wrong."""
    name = str(file.relative_to(root))
    try:
        yield
    except UserError as error:
        raise UserError(error.what, got=f"{error.got} in {name}", expected=error.expected) from error
    except Exception as error:  # each decoder has its own ways to fail, SyntaxError among them
        expected = "an undamaged PNG or JPEG with 8 bits per channel"
        reason = error.strerror or "" if isinstance(error, OSError) else ""
        raise UserError("an image cannot be read", got=name, expected=expected, hint=reason) from error


def _size(image: Images) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
