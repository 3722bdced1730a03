import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluators.data import DataSet, load
from evaluators.data.decoding import resize
from evaluators.data.sources import open_source
from space.errors import UserError

RNG = np.random.default_rng(0)


def draw(path: Path, mode: str = "L", size: tuple[int, int] = (5, 6)) -> None:
    """Write a random image of `size` (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8))
    (noise.convert("RGB").quantize(8) if mode == "P" else noise.convert(mode)).save(path)


def pets(root: Path, parts: tuple[str, ...] = ("train", "test"), n: int = 5, mode: str = "L") -> str:
    for part in parts:
        for kind in ("cat", "dog"):
            for i in range(n):
                draw(root / part / kind / f"{i}.png", mode)
    return f"folder:{root}"


def complaint(name: str) -> str:
    with pytest.raises(UserError) as caught:
        load(name)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


def test_images_are_read_in_the_order_of_their_names(tmp_path):
    source = open_source(pets(tmp_path))
    for part, folder in ((source.train, "train"), (source.test, "test")):
        files = [tmp_path / folder / kind / f"{i}.png" for kind in ("cat", "dog") for i in range(5)]
        for pixels, file in zip(part.images, files, strict=True):
            assert np.array_equal(pixels[..., 0], np.asarray(Image.open(file)))
        assert part.labels.tolist() == [0] * 5 + [1] * 5


def test_a_folder_becomes_a_data_set(tmp_path):
    data = load(pets(tmp_path))
    assert (data.classes, data.shape) == (2, (1, 6, 5))
    assert (len(data.train), len(data.validation), len(data.test)) == (8, 2, 10)


def test_without_a_test_folder_a_fifth_is_held_out_by_seed(tmp_path):
    name = pets(tmp_path, parts=("train",), n=50)
    sets = [load(name, seed=seed) for seed in (0, 0, 1)]
    assert [len(split) for split in (sets[0].train, sets[0].validation, sets[0].test)] == [64, 16, 20]
    images = [image.numpy().tobytes() for split in splits(sets[0]) for image in split.images]
    assert len(set(images)) == 100
    tests = [{image.numpy().tobytes() for image in data.test.images} for data in sets]
    assert tests[0] == tests[1] != tests[2]
    assert len({data.checksum for data in sets}) == 1


def splits(data: DataSet):
    return data.train, data.validation, data.test


def test_classes_may_lie_in_the_folder_itself(tmp_path):
    data = load(pets(tmp_path, parts=(".",), n=10))
    assert [len(split) for split in splits(data)] == [13, 3, 4]


def test_one_colour_image_makes_all_of_them_colour(tmp_path):
    name = pets(tmp_path)
    draw(tmp_path / "test" / "dog" / "9.png", "RGB")
    source = open_source(name)
    assert source.train.images.shape == (10, 6, 5, 3)
    assert (source.train.images == source.train.images[..., :1]).all()
    assert np.array_equal(source.test.images[-1], np.asarray(Image.open(tmp_path / "test" / "dog" / "9.png")))


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [
        ("1", "png", 1),
        ("L", "png", 1),
        ("LA", "png", 1),
        ("P", "png", 3),
        ("RGB", "png", 3),
        ("RGBA", "PNG", 3),
        ("L", "jpg", 1),
        ("RGB", "jpeg", 3),
        ("CMYK", "JPG", 3),
    ],
)
def test_every_kind_of_image_is_grey_or_colour(tmp_path, mode, suffix, channels):
    for kind in ("cat", "dog"):
        for i in range(3):
            draw(tmp_path / "train" / kind / f"{i}.{suffix}", mode)
    assert load(f"folder:{tmp_path}").shape == (channels, 6, 5)


def test_other_files_and_hidden_folders_are_passed_over(tmp_path):
    plain = load(pets(tmp_path)).checksum
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "train" / ".checkpoints").mkdir()
    (tmp_path / "train" / "readme.md").write_text("not a class")
    assert load(f"folder:{tmp_path}").checksum == plain


def test_images_of_unequal_size_are_named(tmp_path):
    name = pets(tmp_path)
    draw(tmp_path / "train" / "dog" / "3.png", size=(8, 6))
    assert complaint(name) == (
        "images of unequal size: got '8x6 in train/dog/3.png'; expected 5x6, the size of the first; "
        "hint: folder:PATH@SIZE resizes them all, for instance folder:PATH@224"
    )


def test_test_images_of_another_size_are_named(tmp_path):
    name = pets(tmp_path, parts=("train",))
    for kind in ("cat", "dog"):
        draw(tmp_path / "test" / kind / "0.png", size=(5, 5))
    assert complaint(name).startswith("images of unequal size: got '5x5 in test/cat/0.png'; expected 5x6")


def test_a_missing_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complaint("folder:no") == "no such folder of images: got 'no'; hint: check the path"


def test_too_few_classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "pets" / "train" / "cat" / "0.png")
    expected = "expected at least 2 subfolders with the images of one class each"
    assert complaint("folder:pets") == f"too few classes in a folder: got 'pets/train'; {expected}"


@pytest.mark.parametrize("parts", [("Train", "Test"), ("training", "validation"), ("TRAIN", "val"), ("testing", "dev")])
def test_parts_of_another_name_are_no_classes(tmp_path, parts):
    """They were two classes, and a network learnt to tell the training set from the test set."""
    text = complaint(pets(tmp_path, parts))
    assert f"parts of a data set in the place of classes: got '{', '.join(sorted(parts))}'" in text
    assert "train/ and perhaps test/ or val/, called just so" in text


def test_a_class_may_be_called_like_a_part(tmp_path):
    for kind in ("bus", "training"):
        for i in range(4):
            draw(tmp_path / kind / f"{i}.png")
    assert load(f"folder:{tmp_path}").classes == 2


def test_a_test_folder_alone_is_not_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pets(tmp_path / "pets", parts=("test",))
    text = "a folder has test/ but no train/: got 'pets'; expected train/ and test/"
    assert complaint("folder:pets") == text


def test_a_class_without_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pets(tmp_path / "pets")
    (tmp_path / "pets" / "train" / "emu").mkdir()
    text = "a class has no images: got 'pets/train/emu'; expected PNG or JPEG files"
    assert complaint("folder:pets") == text


def test_a_class_of_the_test_folder_only(tmp_path):
    name = pets(tmp_path)
    draw(tmp_path / "test" / "dogs" / "0.png")
    text = "unknown class in test/: got 'dogs'; expected one of cat, dog; hint: did you mean 'dog'?"
    assert complaint(name) == text


@pytest.mark.parametrize(("parts", "n", "least"), [(("train", "test"), 1, 2), (("train",), 2, 3)])
def test_too_few_images_of_a_class(tmp_path, parts, n, least):
    expected = f"expected at least {least} in {tmp_path}/train/cat, so that every split gets one"
    text = f"too few training images of a class: got {n}; {expected}"
    assert complaint(pets(tmp_path, parts, n)) == text


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n half", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_a_damaged_image_is_named(tmp_path, content):
    name = pets(tmp_path)
    (tmp_path / "train" / "cat" / "2.png").write_bytes(content)
    expected = "expected an undamaged PNG or JPEG with 8 bits per channel"
    assert complaint(name) == f"an image cannot be read: got 'train/cat/2.png'; {expected}"


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("lost", [20, 60])
def test_a_truncated_image_is_named(tmp_path, suffix, lost):
    name = pets(tmp_path)
    file = tmp_path / "test" / "cat" / f"9.{suffix}"
    draw(file)
    file.write_bytes(file.read_bytes()[:-lost])
    assert complaint(name).startswith(f"an image cannot be read: got 'test/cat/9.{suffix}'")


def test_a_png_with_a_flipped_bit_is_named(tmp_path):
    name = pets(tmp_path)
    file = tmp_path / "train" / "dog" / "0.png"
    content = bytearray(file.read_bytes())
    content[content.index(b"IDAT") + 20] ^= 1
    file.write_bytes(content)
    assert complaint(name).startswith("an image cannot be read: got 'train/dog/0.png'")


def test_deep_images_are_refused(tmp_path):
    name = pets(tmp_path)
    Image.fromarray(np.full((6, 5), 40_000, dtype=np.uint16)).save(tmp_path / "train" / "cat" / "2.png")
    assert complaint(name).startswith("an image cannot be read: got 'train/cat/2.png'")


def unequal(root: Path, kinds: tuple[str, ...] = ("cat", "dog", "emu"), n: int = 7) -> Path:
    """Colour images of many sizes, flat in the folder; those of a class have a colour in common."""
    for label, kind in enumerate(kinds):
        (root / kind).mkdir(parents=True)
        for i in range(n):
            noise = RNG.integers(0, 120, (48 + 7 * i, 100 - 6 * i, 3), dtype=np.uint8)
            noise[..., label] += 120
            Image.fromarray(noise).save(root / kind / f"{i}.{'png' if i % 2 else 'JPEG'}")
    return root


def test_unequal_images_are_resized_on_request(tmp_path):
    root = unequal(tmp_path / "pets")
    source = open_source(f"folder:{root}@224")
    assert source.train.images.shape == (21, 224, 224, 3)
    for place, file in enumerate(sorted(root.rglob("*.*"))):
        with Image.open(file) as image:
            assert np.array_equal(source.train.images[place], np.asarray(resize(image, 224)))
    data = load(f"folder:{root}@32")
    assert (data.name, data.classes, data.shape) == (f"folder:{root}@32", 3, (3, 32, 32))
    assert complaint(f"folder:{root}").startswith("images of unequal size: got ")


def test_every_size_is_data_of_its_own(tmp_path):
    name = pets(tmp_path)
    sums = [load(f"{name}{size}").checksum for size in ("", "@5", "@6", "@5")]
    assert len(set(sums)) == 3
    assert sums[1] == sums[3]


@pytest.mark.parametrize("size", ["0", "1025", "-1", "2.5", "", "big", "224x224", "²", "9" * 50])
def test_sizes_out_of_range_are_refused(tmp_path, size):
    text = complaint(f"{pets(tmp_path)}@{size}")
    assert text.startswith("size of images out of range: got ")
    assert text.endswith("; expected 1 to 1024, a whole number; hint: folder:PATH@224")


@pytest.mark.parametrize(("size", "pixels"), [("1", 1), ("008", 8), ("1024", 1024)])
def test_sizes_within_range(tmp_path, size, pixels):
    assert load(f"{pets(tmp_path, n=2)}@{size}").shape == (1, pixels, pixels)


def test_paths_may_have_an_at_sign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("me@home", "pets@8", "@9"):
        pets(tmp_path / name, n=2)
    shapes = {name: load(f"folder:{name}").shape[1:] for name in ("me@home", "me@home@4", "pets@8", "pets@8@7", "@9")}
    assert shapes == {"me@home": (6, 5), "me@home@4": (4, 4), "pets@8": (6, 5), "pets@8@7": (7, 7), "@9": (6, 5)}
    pets(tmp_path / "pets", n=2)
    assert load("folder:pets@8").shape[1:] == (6, 5)
    assert load("folder:pets/@8").shape[1:] == (8, 8)


@pytest.mark.parametrize(("name", "missing"), [("no@8", "no"), ("no@eight", "no@eight"), ("no@0", "no@0")])
def test_a_missing_folder_is_named_with_what_may_be_its_size(tmp_path, monkeypatch, name, missing):
    monkeypatch.chdir(tmp_path)
    assert complaint(f"folder:{name}") == f"no such folder of images: got '{missing}'; hint: check the path"


@pytest.mark.parametrize("name", ["folder:", "folder:@8"])
def test_the_current_folder_is_not_read_by_mistake(tmp_path, monkeypatch, name):
    pets(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert complaint(name) == "a path is missing: got ''; expected folder:PATH; hint: folder:. is the current folder"
    assert load("folder:.@8").shape == (1, 8, 8)


@pytest.mark.parametrize("name", ["folder:{}", "folder:{}@8", "{}.npz", "{}"])
def test_names_that_the_system_refuses(name):
    text = complaint(name.format("x" * 5000))
    assert text.startswith("the data cannot be read: got ") and text.endswith("; hint: File name too long")


@pytest.mark.parametrize("name", ["folder:~nobody.at.all/pets", "~nobody.at.all/pets.npz"])
def test_homes_that_nobody_has(name):
    assert complaint(name).startswith("a path starts at an unknown home: got '~nobody.at.all/pets")


def test_val_stands_in_for_a_test_folder(tmp_path):
    source = open_source(pets(tmp_path, parts=("train", "val")))
    assert (len(source.train.labels), len(source.test.labels)) == (10, 10)
    pets(tmp_path, parts=("test",), n=3)
    assert len(open_source(f"folder:{tmp_path}").test.labels) == 6


@pytest.mark.parametrize("part", ["test", "val"])
def test_a_test_set_without_classes_is_refused_before_anything_is_decoded(tmp_path, monkeypatch, part):
    monkeypatch.chdir(tmp_path)
    pets(tmp_path / "pets", parts=("train",))
    (tmp_path / "pets" / "train" / "cat" / "0.png").write_bytes(b"damaged")
    draw(tmp_path / "pets" / part / "0.png")
    assert complaint("folder:pets") == (
        f"no classes in {part}/: got 'pets/{part}'; expected subfolders with the images of one class each; "
        "hint: without it, a fifth of train/ is held out"
    )


def test_hidden_copies_are_passed_over(tmp_path):
    plain = load(pets(tmp_path)).checksum
    draw(tmp_path / "train" / "cat" / ".ipynb_checkpoints" / "0-checkpoint.png")
    (tmp_path / "train" / "cat" / "._0.png").write_bytes(b"what a file manager leaves")
    assert load(f"folder:{tmp_path}").checksum == plain


def test_subfolders_and_links_belong_to_their_class(tmp_path):
    name = pets(tmp_path / "pets")
    draw(tmp_path / "more" / "9.png")
    draw(tmp_path / "pets" / "train" / "cat" / "young.png" / "0.png")
    (tmp_path / "pets" / "train" / "dog" / "more").symlink_to(tmp_path / "more")
    (tmp_path / "pets" / "train" / "dog" / "one.png").symlink_to(tmp_path / "more" / "9.png")
    assert np.bincount(open_source(name).train.labels).tolist() == [6, 7]


@pytest.mark.parametrize("up", [".", "..", "../..", "../../train/cat"])
def test_links_that_lead_back_up_add_nothing(tmp_path, up):
    plain = load(pets(tmp_path)).checksum
    (tmp_path / "train" / "cat" / "again").symlink_to(up)
    assert load(f"folder:{tmp_path}").checksum == plain


def test_a_link_to_the_whole_is_no_class(tmp_path):
    name = pets(tmp_path)
    (tmp_path / "train" / "emu").symlink_to("..")
    assert complaint(name).startswith("a class has no images: got ")


@pytest.fixture
def readable():
    """A folder that every user may enter; pytest's own are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def ordinary_user():
    """Give up an administrator's right to read everything."""
    before = os.geteuid()
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_folders_and_files_that_may_not_be_read_are_named(readable):
    name = pets(readable)
    (readable / "train" / "cat" / "2.png").chmod(0)
    with ordinary_user():
        text = complaint(name)
    assert text.startswith("an image cannot be read: got 'train/cat/2.png'")
    assert text.endswith("; hint: Permission denied")
    (readable / "train" / "cat").chmod(0)
    with ordinary_user():
        text = complaint(name)
    assert text == f"the data cannot be read: got '{name}'; hint: Permission denied"
