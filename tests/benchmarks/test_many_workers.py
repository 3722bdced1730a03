"""The simulation of many workers: what must hold of its clock, and that its study is a real one."""

import many_workers
import pytest

from studies.replay import Table

TRIALS = 12


@pytest.fixture(scope="module")
def table():
    return Table.load(many_workers.TABLE)


def simulated(table, count, turn=0.0):
    return many_workers.simulate(table, count, TRIALS, turn, 60.0)


def test_one_worker_is_always_at_work_and_sees_everything(table):
    row = simulated(table, 1)
    assert row["trials"] == TRIALS
    assert row["unseen at an ask"] == 0
    assert row["share of time at work"] == pytest.approx(1.0)


def test_more_workers_are_sooner_done_and_see_less(table):
    one, four = simulated(table, 1), simulated(table, 4)
    assert four["trials"] == TRIALS
    assert one["seconds"] / 4 < four["seconds"] < one["seconds"]
    assert 0 < four["unseen at an ask"] <= 3
    assert four["share of time at work"] <= 1


def test_turns_are_one_after_the_other(table):
    row = simulated(table, 16, turn=1000.0)
    assert row["trials an hour"] <= 3.6
    assert row["seconds waited for a turn"] >= 1000.0


def test_hypervolume_never_falls(table):
    times, volumes = zip(*simulated(table, 4)["hypervolume"], strict=True)
    assert volumes == tuple(sorted(volumes))
    assert times == tuple(sorted(times))


def test_shares_of_a_hypervolume_are_reached_in_order():
    row = {"hypervolume": [[1.0, 0.5], [2.0, 0.95], [3.0, 1.0]]}
    assert many_workers.reached(row, 1.0) == {"90%": 2.0, "99%": 3.0}
    assert many_workers.reached(row, 2.0) == {"90%": None, "99%": None}
