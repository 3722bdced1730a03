"""Images from folders: one subfolder per class, in train/ and perhaps test/."""

from pathlib import Path

import numpy as np

from evaluators.data.arrays import Images, Part, Source
from space.errors import UnknownName, UserError

SUFFIXES = (".png", ".jpg", ".jpeg")
"""Files that count as images, in upper or lower case; all others are passed over."""

FORMATS = ("PNG", "JPEG")
"""What such a file may hold: Pillow reads more, some of it by starting other programs."""

GREY = ("1", "L", "LA")
"""Pillow's modes of grey images; all others are colour."""

DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes with more than 8 bits per channel."""


def read_folder(path: Path) -> Source:
    """Read PATH/train/CLASS/*.png (or JPEG) and PATH/test/CLASS/*.png.

    Without train/ and test/, the classes lie in PATH itself. Without test/, the source has no test set.
    Classes are numbered in the order of their names. If one image is in colour, all become so; alpha channels
    are dropped. Raises UserError if there is too little, or an image is damaged or of another size.
    """
    train, test = _parts(path)
    classes = _subfolders(train)
    if len(classes) < 2:
        expected = "at least 2 subfolders with the images of one class each"
        raise UserError("too few classes in a folder", got=str(train), expected=expected)
    files = [_files(train, classes), _files(test, classes) if test else []]
    images = _stack(path, [file for part in files for file, _ in part])
    labels = np.array([label for part in files for _, label in part], dtype=np.int64)
    cut = len(files[0])
    held = Part(images=images[cut:], labels=labels[cut:]) if test else None
    return Source(train=Part(images=images[:cut], labels=labels[:cut]), test=held)


def _parts(path: Path) -> tuple[Path, Path | None]:
    if not path.is_dir():
        raise UserError("no such folder of images", got=str(path), hint="check the path")
    train, test = path / "train", path / "test"
    if train.is_dir():
        return train, test if test.is_dir() else None
    if test.is_dir():
        raise UserError("a folder has test/ but no train/", got=str(path), expected="train/ and test/")
    return path, None


def _subfolders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(part: Path, classes: list[str]) -> list[tuple[Path, int]]:
    files = []
    for name in _subfolders(part):
        if name not in classes:
            raise UnknownName(f"class in {part.name}/", name, classes)
        found = sorted(file for file in (part / name).rglob("*") if file.suffix.lower() in SUFFIXES)
        if not found:
            raise UserError("a class has no images", got=str(part / name), expected="PNG or JPEG files")
        files += [(file, classes.index(name)) for file in found]
    return files


def _stack(root: Path, files: list[Path]) -> Images:
    images = [_decode(root, file) for file in files]
    size = images[0].shape[:2]
    for image, file in zip(images, files, strict=True):
        if image.shape[:2] != size:
            got = f"{_size(image)} in {file.relative_to(root)}"
            expected = f"{_size(images[0])}, the size of the first"
            hint = f"resize them all, for instance with mogrify -resize '{_size(images[0])}!'"
            raise UserError("images of unequal size", got=got, expected=expected, hint=hint)
    channels = max(image.shape[2] for image in images)
    return np.stack([np.broadcast_to(image, (*size, channels)) for image in images])


def _decode(root: Path, file: Path) -> Images:
    from PIL import Image

    try:
        with Image.open(file, formats=FORMATS) as image:
            image.verify()  # compares the checksums of PNG files, which decoding does not
        with Image.open(file, formats=FORMATS) as image:
            if image.mode in DEEP:
                raise ValueError("more than 8 bits per channel")
            pixels = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    except Exception as error:  # each decoder has its own ways to fail, SyntaxError among them
        got, expected = str(file.relative_to(root)), "an undamaged PNG or JPEG with 8 bits per channel"
        raise UserError("an image cannot be read", got=got, expected=expected) from error
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _size(image: Images) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
