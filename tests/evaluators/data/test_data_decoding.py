import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision import transforms

from evaluators.data import decoding, memory
from evaluators.data.decoding import ORIENTATION, read_images, resize
from space.errors import UserError

RNG = np.random.default_rng(0)


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """A random image of `size` (width, height)."""
    return Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)).convert(mode)


def smooth(colour: tuple[int, int, int] = (200, 60, 20)) -> Image.Image:
    """Brighter to the right and darker to the bottom, so that a turn shows; JPEG keeps it well."""
    slope = np.linspace(0, 40, 24)[None, :, None] - np.linspace(0, 20, 16)[:, None, None]
    return Image.fromarray((np.array(colour) + slope).clip(0, 255).astype(np.uint8))


def read(file: Path, size: int | None = None) -> np.ndarray:
    return read_images(file.parent, [file], size)[0]


def complaint(file: Path, size: int | None = None) -> str:
    with pytest.raises(UserError) as caught:
        read(file, size)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@given(width=st.integers(2, 90), height=st.integers(2, 90), size=st.integers(1, 64))
def test_resizing_is_that_of_torchvision_to_the_pixel(mode, width, height, size):
    image = noise((width, height), mode)
    theirs = transforms.Compose([transforms.Resize(round(size * 256 / 224)), transforms.CenterCrop(size)])
    assert np.array_equal(np.asarray(resize(image, size)), np.asarray(theirs(image)))


def test_224_is_cut_from_256():
    image = noise((500, 375))
    middle = image.resize((341, 256), Image.Resampling.BILINEAR).crop((58, 16, 282, 240))
    assert np.array_equal(np.asarray(resize(image, 224)), np.asarray(middle))


def test_small_images_grow(tmp_path):
    Image.new("RGB", (3, 1), (9, 90, 200)).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png", 32), np.full((32, 32, 3), (9, 90, 200)))


def test_images_too_long_to_be_resized_are_named(tmp_path):
    noise((2, 100)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", 8).shape == (8, 8, 3)
    noise((101, 2)).save(tmp_path / "b.png")
    assert complaint(tmp_path / "b.png", 8) == (
        "image too long to be resized: got '101x2 in b.png'; expected a longer side of at most 50 times the shorter"
    )
    assert read(tmp_path / "b.png").shape == (2, 101, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_viewers_show_them(tmp_path, orientation, suffix):
    file = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    smooth().save(file, exif=exif)
    with Image.open(file) as image:
        assert np.array_equal(read(file), np.asarray(ImageOps.exif_transpose(image)))
        assert np.array_equal(read(file, 14), np.asarray(resize(ImageOps.exif_transpose(image), 14)))


def test_the_size_of_a_turned_image_is_that_of_its_upright_form(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    smooth().save(tmp_path / "a.jpg", exif=exif)
    smooth().transpose(Image.Transpose.ROTATE_90).save(tmp_path / "b.jpg")
    assert read_images(tmp_path, [tmp_path / "a.jpg", tmp_path / "b.jpg"]).shape == (2, 24, 16, 3)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0\x05", b"Exif\0\0 nothing of the kind"])
def test_damaged_metadata_does_no_harm_and_makes_no_noise(tmp_path, exif):
    smooth().save(tmp_path / "a.jpg", exif=exif)
    smooth().save(tmp_path / "b.jpg")
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        assert np.array_equal(read(tmp_path / "a.jpg"), read(tmp_path / "b.jpg"))
    assert not remarks


def test_cmyk_keeps_its_colours(tmp_path):
    smooth().convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert abs(read(tmp_path / "a.jpg").astype(int) - np.asarray(smooth(), dtype=int)).mean() < 3


@pytest.mark.parametrize("transparency", [0, bytes([0, 128, 255])])
def test_transparency_is_dropped_and_the_colours_stay(tmp_path, transparency):
    colours = np.array([(250, 10, 20), (30, 240, 50), (60, 70, 230)], dtype=np.uint8)
    index = RNG.integers(0, 3, (6, 5), dtype=np.uint8)
    palette = Image.fromarray(index).convert("P")
    palette.putpalette(colours.tobytes())
    palette.save(tmp_path / "p.png", transparency=transparency)
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        assert np.array_equal(read(tmp_path / "p.png"), colours[index])
    assert not remarks


def test_an_alpha_channel_is_dropped_and_the_colours_stay(tmp_path):
    image = noise((5, 6), "RGBA")
    image.save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png"), np.asarray(image)[..., :3])


@pytest.mark.parametrize("channels", [0, 2])
def test_sixteen_bits_per_channel_are_refused_in_colour_too(tmp_path, channels):
    """Pillow cannot write them, so an 8-bit file is told to be of half the width in 16 bits."""
    from zlib import crc32

    noise((16, 4), {0: "L", 2: "RGB"}[channels]).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:25] = (8).to_bytes(4, "big") + (4).to_bytes(4, "big") + b"\x10"
    content[29:33] = crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    with Image.open(tmp_path / "a.png") as image:
        image.load()
    assert complaint(tmp_path / "a.png").startswith("an image cannot be read: got 'a.png'; expected an undamaged")


def test_sixteen_pixels_are_not_sixteen_bits(tmp_path):
    noise((16, 16)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").shape == (16, 16, 3)


def test_what_cannot_be_opened_says_why(tmp_path):
    (tmp_path / "a.png").symlink_to("nowhere")
    assert complaint(tmp_path / "a.png").endswith("; hint: No such file or directory")
    (tmp_path / "b.png").symlink_to("b.png")
    assert complaint(tmp_path / "b.png").endswith("; hint: Too many levels of symbolic links")
    os.mkfifo(tmp_path / "c.png")
    assert complaint(tmp_path / "c.png").startswith("an image cannot be read: got 'c.png'")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_truncated_images_are_refused_when_they_are_resized_too(tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    noise((60, 50)).save(file)
    file.write_bytes(file.read_bytes()[:-60])
    assert complaint(file, 8).startswith(f"an image cannot be read: got 'a.{suffix}'")


def test_images_must_fit_twice_into_the_memory(tmp_path, monkeypatch):
    files = [tmp_path / f"{i}.png" for i in range(10)]
    for file in files:
        noise((300, 200)).save(file)
    needed = 2 * 10 * 100 * 100 * 3
    monkeypatch.setattr(memory, "available_memory", lambda: needed)
    assert read_images(tmp_path, files, 100).nbytes == needed / 2
    monkeypatch.setattr(memory, "available_memory", lambda: needed - 1)
    monkeypatch.setattr(decoding.np, "empty", None)  # refused before
    with pytest.raises(UserError) as caught:
        read_images(tmp_path, files, 100)
    assert str(caught.value) == (
        "images too large for the memory: got '10 of 100x100: 0.0 GB while they are divided into splits'; "
        "expected at most 0.0 GB, what is available; "
        "hint: take fewer images, or a smaller SIZE in folder:PATH@SIZE"
    )


def test_the_memory_available_is_some_of_the_machine():
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert free / 4 < memory.available_memory() <= machine


@pytest.mark.parametrize(("said", "expected"), [("max", 3072), ("2048", 2048), ("9223372036854771712", 3072)])
def test_the_limit_of_a_container_counts(tmp_path, monkeypatch, said, expected):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:       3 kB\n")
    (tmp_path / "limit").write_text(f"{said}\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "LIMITS", (tmp_path / "absent", tmp_path / "limit"))
    assert memory.available_memory() == expected


def test_the_machine_counts_where_the_system_does_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "absent")
    monkeypatch.setattr(memory, "LIMITS", ())
    pages = subprocess.run(["getconf", "_PHYS_PAGES"], capture_output=True, text=True, check=True).stdout
    assert memory.available_memory() == int(pages) * os.sysconf("SC_PAGE_SIZE")
