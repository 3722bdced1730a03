"""A study on a recorded table: the same answers as an evaluator's, by a clock of its own."""

from dataclasses import replace
from pathlib import Path

import pytest
from closed_form import BUDGET, PROTOCOL, SIXTY, accuracy, bops, naive, robustness

from evaluators.objectives import BOUND, OBJECTIVES
from space.candidate import Candidate
from space.errors import UserError
from studies import Stop, Study, StudyConfig, front
from studies.replay import Replay, Row, Table, member_names

IMAGES = 1000
COMMITTED = sorted((Path(__file__).parents[2] / "benchmarks" / "table").glob("*.json.gz"))


def row(candidate):
    hits = {name: round(IMAGES * value(candidate)) for name, value in (("acc", accuracy), ("pgd_naive", naive))}
    pgd = round(IMAGES * robustness(candidate))
    steps = [("acc", hits["acc"], IMAGES, 0.5), ("pgd_naive", hits["pgd_naive"], IMAGES, 1.0)]
    steps += [(BOUND, hits["pgd_naive"], IMAGES, 0.0), (BOUND, pgd, IMAGES, 2.0)]
    return Row((*steps, ("certified", 0, IMAGES, 4.0), ("pgd", pgd, IMAGES, 0.0)))


@pytest.fixture(scope="module")
def table():
    candidates = [*SIXTY.enumerate()]
    names = {name for one in candidates for name in member_names(one)}
    return Table(
        space=SIXTY,
        protocols=(PROTOCOL,),
        budget=BUDGET,
        train_images=100,
        costs={str(one): {"bops": bops(one)} for one in candidates},
        members=(dict.fromkeys(names, 10.0),),
        rows=({str(one): row(one) for one in candidates},),
    )


def config(**changes):
    fields = {"objectives": ("acc", "pgd", "bops"), "space": SIXTY, "protocol": PROTOCOL, "budget": BUDGET}
    return StudyConfig(**(fields | changes))


def run(table, folder, trials=60, **changes):
    replay = Replay(table)
    study = Study.open(folder, config(**changes))
    study.run(replay, Stop(trials=trials), clock=replay.clock)
    return study, replay


def test_a_table_is_read_as_it_was_written(table, tmp_path):
    table.save(tmp_path / "table.json.gz")
    assert Table.load(tmp_path / "table.json.gz") == table
    first = (tmp_path / "table.json.gz").read_bytes()
    table.save(tmp_path / "table.json.gz")
    assert (tmp_path / "table.json.gz").read_bytes() == first


@pytest.mark.parametrize("content", [b"", b"not a table", None])
def test_another_file_is_refused(content, tmp_path):
    path = tmp_path / "table.json.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="unreadable table"):
        Table.load(path)


def test_the_clock_goes_on_by_what_each_stage_took(table):
    replay, seen = Replay(table), []
    for name, _ in replay.measure(Candidate.parse("xnor+xnor"), ("acc", "pgd")):
        seen.append((name, replay.seconds))
    assert seen == [
        ("acc", 20.5),
        ("pgd_naive", 21.5),
        (BOUND, 21.5),
        (BOUND, 23.5),
        ("certified", 27.5),
        ("pgd", 27.5),
    ]
    list(replay.measure(Candidate.parse("xnor"), ("acc",)))
    assert replay.seconds == 28.0  # its member was trained for the first one
    list(replay.measure(Candidate.parse("xnor"), ("bops",)))
    assert replay.seconds == 28.0


def test_without_a_cache_every_candidate_trains_its_members(table):
    replay = Replay(table, kept=False)
    for _ in range(2):
        list(replay.measure(Candidate.parse("xnor"), ("acc",)))
    assert replay.seconds == 21.0


def test_who_stops_early_pays_for_what_was_done(table):
    replay = Replay(table)
    measured = replay.measure(Candidate.parse("fp"), ("acc", "pgd"))
    assert next(measured)[0] == "acc"
    measured.close()
    assert replay.seconds == 10.5


def test_a_repetition_is_answered_by_another_seed_on_the_same_clock(table):
    worse = Row(tuple((name, hits // 2, n, seconds) for name, hits, n, seconds in row(Candidate.parse("fp")).steps))
    both = replace(
        table,
        protocols=(PROTOCOL, replace(PROTOCOL, seed=1)),
        members=table.members * 2,
        rows=(*table.rows, {**table.rows[0], "fp": worse}),
    )
    replay = Replay(both)
    first, second = (dict(one.measure(Candidate.parse("fp"), ("acc",)))["acc"] for one in (replay, replay.repeated(2)))
    assert second.value == pytest.approx(first.value / 2, abs=1e-3)
    assert replay.seconds == replay.repeated(2).seconds == 21.0
    again = dict(replay.repeated(3).measure(Candidate.parse("fp"), ("acc",)))["acc"]
    assert again.value == first.value


@pytest.mark.parametrize(("kept", "seconds"), [(True, 2 * 10 + 3 * 0.5), (False, 3 * 10 + 3 * 0.5)])
def test_what_a_repetition_trained_is_there_for_the_next_of_its_run(table, kept, seconds):
    """As an evaluator's store keeps it: a member is trained once by each run's seed, whoever asks for that run."""
    twice = replace(table, protocols=table.protocols * 2, members=table.members * 2, rows=table.rows * 2)
    replay, fp = Replay(twice, kept=kept), Candidate.parse("fp")
    list(replay.measure(fp, ("acc",)))
    for _ in range(2):
        list(replay.repeated(2).measure(fp, ("acc",)))
    assert replay.seconds == seconds


def test_free_accuracy_is_that_of_trained_members(table):
    replay = Replay(table)
    pair, alone = Candidate.parse("xnor+xnor"), Candidate.parse("xnor")
    assert replay.free_accuracy([pair, alone]) == [None, None]
    list(replay.measure(pair, ("acc",)))
    found = replay.free_accuracy([pair, alone, Candidate.parse("fp")])
    assert [one and one.value for one in found] == [
        row(pair).steps[0][1] / IMAGES,
        row(alone).steps[0][1] / IMAGES,
        None,
    ]
    assert replay.seconds == 20.5


def test_a_candidate_outside_the_table_does_not_fit(table):
    with pytest.raises(UserError, match=r"candidate outside the table: got .*mbn3x3"):
        Replay(table).cost(Candidate.parse("mbn3x3"))


def test_a_study_to_the_end_of_the_space_finds_the_front_that_is_there(table, tmp_path):
    """Whatever is stopped on the way: the front is that of all sixty, to the last value."""
    study, replay = run(table, tmp_path / "stopped")
    whole, slow = run(table, tmp_path / "full", full=True)
    fronts = [{one.candidate for one in front(one.records(), one.config.objectives)} for one in (study, whole)]
    assert fronts[0] == fronts[1]
    assert {one.state for one in whole.records() if one.evaluated} == {"complete"}
    stopped = [one for one in study.records() if one.state == "stopped"]
    assert stopped and replay.seconds < slow.seconds
    assert all("at its best still behind #" in one.reason for one in stopped)
    assert study.records()[-1].at == pytest.approx(replay.seconds)


def test_stopped_trials_keep_what_was_measured_and_are_not_tried_again(table, tmp_path):
    study, _ = run(table, tmp_path)
    stopped = [one for one in study.records() if one.state == "stopped"]
    assert all("acc" in one.measurements and "pgd" not in one.measurements for one in stopped)
    keys = [one.key for one in study.records() if one.evaluated]
    assert len(keys) == len({*keys})
    assert all(one.evaluated for one in stopped)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_the_committed_tables_are_whole(path):
    """Every candidate of the space, under every seed, with stages in order and bounds that only fall."""
    table = Table.load(path)
    texts = {str(one) for one in table.space.enumerate()}
    assert path.stat().st_size < 5e6
    assert len(table.rows) == len(table.members) == len(table.protocols) >= 1
    assert len({one.seed for one in table.protocols}) == len(table.protocols)
    for rows, members in zip(table.rows, table.members, strict=True):
        assert rows.keys() == texts == table.costs.keys()
        assert members.keys() == {name for one in table.space.enumerate() for name in member_names(one)}
        assert min(members.values()) > 0
        for text in texts:
            check(rows[text])
    assert {name for costs in table.costs.values() for name in costs} <= OBJECTIVES.keys()


def check(row):
    names = [name for name, *_ in row.steps]
    assert names[:2] == ["acc", "pgd_naive"] and names[-2:] == ["certified", "pgd"]
    stands = [hits for name, hits, *_ in row.steps if name in ("pgd_naive", BOUND, "pgd")]
    assert stands == sorted(stands, reverse=True)
    assert dict(row.measured())["certified"].value <= dict(row.measured())["pgd"].value
    assert all(seconds >= 0 for *_, seconds in row.steps)
