"""Images from folders: one subfolder per class, in train/ and perhaps test/."""

import re
from pathlib import Path

import numpy as np

from evaluators.data.arrays import Part, Source, fewest
from evaluators.data.decoding import read_images
from evaluators.homes import expanded
from space.errors import UnknownName, UserError

SUFFIXES = (".png", ".jpg", ".jpeg")
"""Files that count as images, in upper or lower case; all others are passed over."""

HELD_OUT = ("test", "val")
"""Folders beside train/ that may hold the test set; the first that is there does. ImageNet's is val/."""

SPLITS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"))
"""What folders of a set's parts are called elsewhere, in any case; classes that are all called so are none."""

LARGEST = 1024
"""Most pixels that images are resized to."""


def folder_and_size(text: str) -> tuple[Path, int | None]:
    """Read PATH or PATH@SIZE; a folder that is called so is a PATH, whatever digits its name ends in.

    Raises UserError unless SIZE, of a folder that exists, is a whole number from 1 to `LARGEST`.
    """
    whole, (name, at, size) = user_path(text), text.rpartition("@")
    if whole.is_dir() or not at:
        return whole, None
    folder, number = user_path(name), int(size) if re.fullmatch("[0-9]{1,9}", size) else 0
    if 1 <= number <= LARGEST:
        return folder, number
    if folder.is_dir():
        expected = f"1 to {LARGEST}, a whole number"
        raise UserError("size of images out of range", got=size, expected=expected, hint="folder:PATH@224")
    return whole, None


def user_path(text: str) -> Path:
    """The path that `text` names, ~ being the user's home. Raises UserError if it is empty, or the home of nobody."""
    if not text:
        raise UserError("a path is missing", got=text, expected="folder:PATH", hint="folder:. is the current folder")
    return expanded(Path(text))


def read_folder(path: Path, size: int | None = None) -> Source:
    """Read PATH/train/CLASS/*.png (or JPEG) and PATH/test/CLASS/*.png.

    Without train/ and test/, the classes lie in PATH itself; val/ stands in for test/; without either, the source has
    no test set. Classes are numbered in the order of their names. Names that start with a dot are passed over.

    Args:
        path: of the folder.
        size: height and width that all images are resized to (`decoding.resize`); without it, their sizes must agree.
    Raises: UserError if there is too little, or an image is damaged or of another size, or memory does not suffice.
    """
    train, test = _parts(path)
    classes = _subfolders(train)
    if len(classes) < 2:
        expected = "at least 2 subfolders with the images of one class each"
        raise UserError("too few classes in a folder", got=str(train), expected=expected)
    if {name.lower() for name in classes} <= SPLITS:
        expected, hint = (
            "train/ and perhaps test/ or val/, called just so",
            "a network would learn to tell the parts apart",
        )
        raise UserError(
            "parts of a data set in the place of classes", got=", ".join(classes), expected=expected, hint=hint
        )
    least = fewest(has_test=test is not None)
    files = [_files(train, classes, least), _files(test, classes) if test else []]
    images = read_images(path, [file for part in files for file, _ in part], size)
    labels = np.array([label for part in files for _, label in part], dtype=np.int64)
    cut = len(files[0])
    held = Part(images=images[cut:], labels=labels[cut:]) if test else None
    return Source(train=Part(images=images[:cut], labels=labels[:cut]), test=held)


def _parts(path: Path) -> tuple[Path, Path | None]:
    if not path.is_dir():
        raise UserError("no such folder of images", got=str(path), hint="check the path")
    train, held_out = path / "train", [path / name for name in HELD_OUT if (path / name).is_dir()]
    if train.is_dir():
        return train, held_out[0] if held_out else None
    if (path / "test").is_dir():
        raise UserError("a folder has test/ but no train/", got=str(path), expected="train/ and test/")
    return path, None


def _subfolders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(part: Path, classes: list[str], least: int = 1) -> list[tuple[Path, int]]:
    files = []
    for name in _subfolders(part):
        if name not in classes:
            raise UnknownName(f"class in {part.name}/", name, classes)
        found = _images(part / name, frozenset((part.resolve(), part.parent.resolve())))
        if not found:
            raise UserError("a class has no images", got=str(part / name), expected="PNG or JPEG files")
        if len(found) < least:
            expected = f"at least {least} in {part / name}, so that every split gets one"
            raise UserError("too few training images of a class", got=len(found), expected=expected)
        files += [(file, classes.index(name)) for file in found]
    if not files:
        expected, hint = "subfolders with the images of one class each", "without it, a fifth of train/ is held out"
        raise UserError(f"no classes in {part.name}/", got=str(part), expected=expected, hint=hint)
    return files


def _images(folder: Path, above: frozenset[Path]) -> list[Path]:
    """Every image below a folder, in the order of their names; links are followed unless they lead back up."""
    here = folder.resolve()
    found: list[Path] = []
    for entry in sorted(folder.iterdir()) if here not in above else ():
        if entry.name.startswith("."):  # copies that notebooks and file managers make
            continue
        if entry.is_dir():
            found += _images(entry, above | {here})
        elif entry.suffix.lower() in SUFFIXES:
            found.append(entry)
    return found
