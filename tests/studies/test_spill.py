"""Byte strings that lie in a file."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.spill import Spill


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


def test_where_the_disk_is_full_nothing_is_added(monkeypatch):
    spill = Spill()
    spill.append(b"before")
    written, write = [], os.pwrite

    def little(file, content, place):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(place)
        return write(file, content[:2], place)

    monkeypatch.setattr(os, "pwrite", little)
    with pytest.raises(OSError, match="No space"):
        spill.append(b"longer than two")
    assert len(spill) == 1
    monkeypatch.undo()
    assert spill.append(b"after") == 1
    assert [spill[0], spill[1]] == [b"before", b"after"]


def test_a_forked_process_that_adds_the_same_does_no_harm():
    spill = Spill()
    spill.append(b"both")
    if not (child := os.fork()):
        os._exit(spill.append(b"same") - 1)
    assert os.waitpid(child, 0)[1] == 0
    spill.append(b"same")
    assert [spill[0], spill[1]] == [b"both", b"same"]
