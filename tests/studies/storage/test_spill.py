"""Byte strings that lie in a file."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.storage.spill import Spill


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_it_reads_as_the_list_of_what_was_added(contents):
    spill = Spill()
    assert [spill.append(one) for one in contents] == [*range(len(contents))]
    assert len(spill) == len(contents)
    assert [spill[number] for number in reversed(range(len(contents)))] == contents[::-1]
    for beyond in (-1, len(contents)):
        with pytest.raises(IndexError):
            spill[beyond]


def opened():
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_it_makes_no_file_before_it_needs_one_and_leaves_none(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = opened()
    spill = Spill()
    assert opened() == before
    spill.append(b"one")
    assert opened() == before + 1
    assert [*tmp_path.iterdir()] == []
    del spill
    assert opened() == before


def test_what_the_disk_does_not_take_stays_in_memory(monkeypatch):
    spill, write = Spill(), os.pwrite
    spill.append(b"before")
    left = [2]

    def little(file, content, place):
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[: left.pop()], place)

    monkeypatch.setattr(os, "pwrite", little)
    assert spill.append(b"longer than two") == 1
    monkeypatch.undo()
    assert spill.append(b"after") == 2
    assert [spill[0], spill[1], spill[2]] == [b"before", b"longer than two", b"after"]


def test_where_there_is_no_folder_for_it_all_stays_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    spill = Spill()
    assert [spill.append(b"one"), spill.append(b"two")] == [0, 1]
    assert [spill[0], spill[1]] == [b"one", b"two"]


def test_what_a_forked_process_adds_is_its_own():
    spill = Spill()
    spill.append(b"both")
    if not (child := os.fork()):
        number = spill.append(b"child's")
        os._exit([spill[0], spill[number]] != [b"both", b"child's"])
    assert os.waitpid(child, 0)[1] == 0
    spill.append(b"parent")
    assert [spill[0], spill[1]] == [b"both", b"parent"]
