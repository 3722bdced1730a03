"""What follows from the records so far."""

from dataclasses import replace

import pytest
from closed_form import measurement

from studies.memory import Memory
from studies.records import Record


def record(key, state, reason=""):
    trained = state in ("complete",)
    measured = {"acc": measurement("acc", 0.5)} if trained else {}
    return Record(number=0, candidate="fp", key=key, state=state, reason=reason, measurements=measured)


@pytest.mark.parametrize(
    ("states", "decided_by"),
    [
        ([], None),
        (["complete"], 0),
        (["vetoed"], 0),
        (["failed"], None),
        (["failed", "failed"], 1),
        (["failed", "complete"], 1),
        (["complete", "duplicate"], 0),
    ],
)
def test_a_failure_gets_a_second_chance_and_no_third(states, decided_by):
    records = [record("a", state, reason=str(i)) for i, state in enumerate(states)]
    memory = Memory([record("b", "complete"), *records])
    assert memory.earlier("a") is (None if decided_by is None else records[decided_by])
    assert [key for key in ("a", "b", "c") if key in memory.seen] == (["a", "b"] if states else ["b"])
    assert len(memory.seen) == (2 if states else 1)


def test_free_trials_are_counted_from_the_last_that_was_paid_for():
    states = ["vetoed", "complete", "duplicate", "vetoed", "duplicate"]
    memory = Memory(record(str(i), state) for i, state in enumerate(states))
    assert (memory.free_in_a_row, memory.evaluated) == (3, 1)
    memory.add(record("5", "failed"))
    assert (memory.free_in_a_row, memory.evaluated) == (0, 2)


def test_repetitions_are_no_designs_and_end_no_row_of_free_trials():
    memory = Memory([record("a", "complete"), record("a", "duplicate"), record("b", "vetoed")])
    for state in ("complete", "failed"):
        memory.add(replace(record("a", state), origin="repeat"))
    assert (memory.designs, memory.evaluated, memory.free_in_a_row, len(memory.records)) == (3, 1, 2, 5)
