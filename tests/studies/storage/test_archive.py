"""Records, kept small."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from studies.records import Record
from studies.storage.archive import LATEST, Archive
from studies.storage.packed import Packed, pack

ONE = Record(
    number=0,
    candidate="in2:pact4+mbn3x3:majority:x0.5",
    key="in2:pact4+mbn3x3:majority:x0.5",
    state="complete",
    measurements={
        name: Measurement(value=0.123456789, unit="fraction", stderr=0.0123, n=256, seconds=1.5) for name in OBJECTIVES
    },
    seconds=12.5,
    at=100.25,
    origin="model",
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_what_is_packed_comes_out_as_it_was(attributes):
    packed = Packed(pack(attributes))
    assert {**packed} == attributes
    assert (len(packed), *packed) == (len(attributes), *attributes)
    assert packed == attributes
    assert "no such name \0" not in packed


def test_a_copy_of_what_is_packed_is_a_dictionary():
    copied = copy.deepcopy(Packed(pack({"a": [1]})))
    assert (type(copied), copied) == (dict, {"a": [1]})


def test_a_record_of_every_objective_takes_little():
    assert len(pack({"record": ONE.to_json()})) < 400


@pytest.mark.parametrize("count", [0, 1, LATEST, 2 * LATEST + 3])
def test_an_archive_reads_as_the_list_of_its_records(count):
    records = [replace(ONE, number=number, at=number / 3) for number in range(count)]
    archive = Archive()
    for record in records:
        archive.append(record)
    assert [*archive] == records
    assert [*reversed(archive)] == records[::-1]
    assert len(archive) == count
    for part in (slice(None), slice(-3, None), slice(1, 5), slice(count, None)):
        assert archive[part] == records[part]
    with pytest.raises(IndexError):
        archive[count]


def test_the_latest_records_are_those_that_were_given_and_the_others_are_not_kept():
    records = [replace(ONE, number=number) for number in range(LATEST + 1)]
    archive = Archive()
    for record in records:
        archive.append(record)
    assert archive[-1] is records[-1]
    assert archive[1] is records[1]
    assert archive[0] is not records[0]
    assert archive[0] == records[0]
