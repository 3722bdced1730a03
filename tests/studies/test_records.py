"""Records: what was paid for, their JSON, and the front among them."""

import json

import pytest
from closed_form import measurement
from hypothesis import given
from hypothesis import strategies as st

from studies.limits import Limit
from studies.records import STATES, Record, front
from studies.terms import Terms

OBJECTIVES = ("acc", "pgd", "bops")


def record(number, state="complete", key=None, **values):
    measured = {name: measurement(name, value) for name, value in values.items()}
    return Record(number=number, candidate="fp", key=key or str(number), state=state, measurements=measured)


rows = st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.sampled_from([0.2, 0.6]), st.sampled_from([1e6, 2e6, 4e6]))


@given(st.lists(st.tuples(rows, st.sampled_from(STATES), st.sampled_from("abcdef")), max_size=12))
def test_the_front_is_complete_feasible_undominated_and_one_per_key(table):
    limit = Limit.parse("acc>=0.5")
    records = [record(i, state, key, acc=row[0], pgd=row[1], bops=row[2]) for i, (row, state, key) in enumerate(table)]
    members = front(reversed(records), OBJECTIVES, Terms((limit,)))
    firsts = {}
    for one in records:
        if one.state == "complete" and one.measurements["acc"].value >= 0.5:
            firsts.setdefault(one.key, one)

    def losses(one):
        values = {name: m.value for name, m in one.measurements.items()}
        return (-values["acc"], -values["pgd"], values["bops"])

    def beaten(one):
        others = (losses(other) for other in firsts.values())
        return any(all(map(float.__le__, o, losses(one))) and o != losses(one) for o in others)

    assert members == [one for one in firsts.values() if not beaten(one)]


def test_a_record_without_a_limited_measurement_is_not_on_the_front():
    records = [record(0, acc=0.9, pgd=0.5, bops=1e6)]
    assert front(records, OBJECTIVES, Terms((Limit.parse("fgsm>=0.1"),))) == []


@pytest.mark.parametrize(
    ("state", "measured", "paid"),
    [
        ("complete", {"acc": 0.5, "bops": 1e6}, True),
        ("failed", {"bops": 1e6}, True),
        ("vetoed", {"bops": 1e6, "memory": 1e3}, False),
        ("vetoed", {"bops": 1e6, "acc": 0.5}, True),
        ("duplicate", {"acc": 0.5, "bops": 1e6}, False),
    ],
)
def test_only_what_was_trained_or_failed_counts_as_evaluated(state, measured, paid):
    assert record(0, state, **measured).evaluated is paid


def test_json_round_trip():
    one = Record(
        number=7,
        candidate="in2:fp+xnor",
        key="k",
        state="vetoed",
        reason="acc 0.1 breaks acc>=0.5",
        measurements={"acc": measurement("acc", 0.1, stderr=0.01, n=400, flags=("odd",))},
        seconds=1.5,
        at=20.25,
    )
    assert Record.from_json(json.loads(json.dumps(one.to_json()))) == one
