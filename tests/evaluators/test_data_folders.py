from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluators.data import DataSet, load
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
        "hint: resize them all, for instance with mogrify -resize '5x6!'"
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
    expected = f"expected at least {least}, so that every split gets one"
    text = f"too few training images of class 0: got {n}; {expected}"
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
