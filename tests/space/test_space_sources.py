from pathlib import Path

import pytest
from designs import refused

from space import SearchSpace, UserError
from space.sources import MAX_BYTES, read_toml


def test_text_and_file_say_the_same(tmp_path):
    file = tmp_path / "space.toml"
    file.write_text("precisions = ['fp']  # größer\n", encoding="utf-8")
    assert read_toml(file) == read_toml(str(file)) == read_toml(file.read_text()) == {"precisions": ["fp"]}


def test_a_path_may_have_an_equals_sign(tmp_path):
    file = tmp_path / "a=b.toml"
    file.write_text("precisions = ['fp']")
    assert SearchSpace.from_toml(file).size == 1


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ("precisions =", "Invalid value"),
        ("precisions = ['fp'", "Unclosed array"),
        ("a = 1\na = 2", "Cannot overwrite a value"),
        ("a = " + "9" * 5000, "hint: "),
        ("a = " + "[" * 100_000, "lists too deep"),
        ("\x00 = 1", "hint: Invalid"),
        (f"[{'x' * 10_000}]\n" * 2, "Cannot declare"),
    ],
)
def test_malformed_toml_says_where(toml, part):
    refused(lambda: read_toml(toml), "malformed TOML: got 'search space'", "expected valid TOML", part)


def test_malformed_file_is_named(tmp_path):
    file = tmp_path / "space.toml"
    file.write_text("precisions")
    refused(lambda: read_toml(file), "malformed TOML", "space.toml", "hint: ")


def unreadable(folder: Path) -> Path:
    """A regular file that can't be read, even by an administrator where the system has one."""
    memory = Path("/proc/self/mem")
    if memory.exists():
        return memory
    file = folder / "secret.toml"
    file.touch(mode=0)
    return file


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "long.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    refused(lambda: read_toml(tmp_path), "search space file: got", "hint: no file is there")
    refused(lambda: read_toml(tmp_path / "none.toml"), "hint: no file is there")
    refused(lambda: read_toml(tmp_path / "binary.toml"), "hint: not UTF-8")
    refused(lambda: read_toml(tmp_path / "long.toml"), "search space file too long", "at most 1000000 bytes")
    refused(lambda: read_toml(tmp_path / ("x" * 5000)), "hint: no file is there")
    error = refused(lambda: read_toml(unreadable(tmp_path)), "search space file: got", "a readable TOML file")
    assert isinstance(error, UserError) and error.hint not in ("", "no file is there")
