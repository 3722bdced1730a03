"""Records and finished trials, kept small."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.trial import create_trial

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from studies.archive import LATEST, Archive
from studies.packed import Packed, Slimmer
from studies.records import Record

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
    packed = Packed(attributes)
    assert {**packed} == attributes
    assert (len(packed), *packed) == (len(attributes), *attributes)
    assert copy.deepcopy(packed) == packed
    assert "no such name \0" not in packed


def test_a_record_of_every_objective_takes_little():
    assert Packed({"record": ONE.to_json()}).size < 400


@pytest.mark.parametrize("count", [0, 1, LATEST, 2 * LATEST + 3])
def test_an_archive_reads_as_the_list_of_its_records(count):
    records = [replace(ONE, number=number, at=number / 3) for number in range(count)]
    archive = Archive()
    for number, record in enumerate(records):
        archive.append(record, Packed({"record": record.to_json()}) if number % 2 else None)
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


def trial(width=0.5, choices=(0.25, 0.5)):
    distribution = CategoricalDistribution(choices)
    return create_trial(
        value=1.0,
        params={"width": width},
        distributions={"width": distribution},
        user_attrs={"record": ONE.to_json(), "candidate": "fp"},
    )


def test_a_slim_trial_says_what_it_said_and_shares_what_others_have():
    slimmer, (one, other, third) = Slimmer(), (trial(), trial(0.25), trial(choices=(0.5, 1.0)))
    before = [(copy.deepcopy(each.distributions), dict(each.user_attrs), each.params) for each in (one, other, third)]
    for each in (one, other, third, one):
        slimmer.slim(each)
    assert [(each.distributions, dict(each.user_attrs), each.params) for each in (one, other, third)] == before
    assert one.distributions is other.distributions
    assert third.distributions is not one.distributions
    assert one.user_attrs["candidate"] == "fp"
