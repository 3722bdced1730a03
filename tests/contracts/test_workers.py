"""What workers of one study promise, wherever its trials are kept: nothing lost, nothing twice, whoever is killed."""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "studies"))

from closed_form import BUDGET, PROTOCOL, SIXTY, Arithmetic, accuracy, bops, config, naive, robustness, story
from servers import Server

from evaluators.objectives import BOUND
from space.errors import UserError
from space.space import SearchSpace
from studies import Stop, Study, TrialFinished
from studies.replay import Replay, Row, Table, member_names
from studies.storage.patience import Lost
from studies.workers.claims import Claim
from studies.workers.colleagues import Colleagues

IMAGES = 1000
TWENTY = replace(SIXTY, members=(1,))
"""Those of the sixty that are no ensembles: enough where every trial costs a database dozens of operations."""
PROCESS = multiprocessing.get_context("fork")  # a worker starts in milliseconds


@pytest.fixture(autouse=True)
def no_power_cuts(monkeypatch):
    """No test here cuts the power; workers are forked, and flush as little."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def row(candidate):
    acc, weak, hits = (round(IMAGES * value(candidate)) for value in (accuracy, naive, robustness))
    steps = [("acc", acc, IMAGES, 0.5), ("pgd_naive", weak, IMAGES, 1.0), (BOUND, weak, IMAGES, 0.0)]
    return Row((*steps, (BOUND, hits, IMAGES, 2.0), ("certified", 0, IMAGES, 4.0), ("pgd", hits, IMAGES, 0.0)))


@pytest.fixture(scope="module")
def table():
    candidates = [*SIXTY.enumerate()]
    return Table(
        space=SIXTY,
        protocols=(PROTOCOL,),
        budget=BUDGET,
        train_images=100,
        costs={str(one): {"bops": bops(one)} for one in candidates},
        members=(dict.fromkeys((name for one in candidates for name in member_names(one)), 10.0),),
        rows=({str(one): row(one) for one in candidates},),
    )


class Slow(Replay):
    """Takes a while, and notes what it is asked, in a file that all workers share."""

    def __init__(self, table, folder, pause=0.01):
        super().__init__(table)
        self.folder, self.pause = folder, pause

    def measure(self, candidate, names):
        note(self.folder / "asked", str(candidate))
        for pair in super().measure(candidate, names):
            time.sleep(random.uniform(0, self.pause))
            yield pair


def note(path, text):
    with path.open("a") as file:
        file.write(f"{text}\n")


def noted(path):
    return path.read_text().splitlines() if path.exists() else []


def replayed(**changes):
    fields = {"space": TWENTY, "full": False, "sampler": "tpe", "proposals": "model"}
    return config(**(fields | changes))


EVERY = {"sampler": "exhaustive", "proposals": "off"}
"""Every candidate once, at little cost for the asking."""


def join(folder, evaluator, trials):
    """A worker's life."""
    mine = []

    def hear(event):
        mine.append(event)
        if isinstance(event, TrialFinished):
            note(folder.parent / "finished", event.record.number)

    random.seed(os.getpid())
    Study.load(folder).join(evaluator, Stop(trials=trials), hear)


def start(*words):
    worker = PROCESS.Process(target=join, args=words, daemon=True)
    worker.start()
    return worker


def leave(*workers):
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


@pytest.fixture(params=["journal", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def storage(request):
    """The storage argument of a study."""
    return None if request.param == "journal" else request.getfixturevalue("postgresql").fresh()


def created(folder, storage, evaluator, cfg):
    """A study with one trial."""
    study = Study.open(folder, cfg, storage)
    study.run(evaluator, Stop(trials=1))
    return study


def values(records):
    return {one.candidate: {name: it.value for name, it in one.measurements.items()} for one in records}


def test_workers_share_the_trials_and_evaluate_each_candidate_once(tmp_path, storage, table):
    folder, evaluator = tmp_path / "s", Slow(table, tmp_path)
    study = created(folder, storage, evaluator, replayed())
    leave(*(start(folder, evaluator, 12) for _ in range(3)))
    records = study.records()
    assert sum(record.evaluated for record in records) == 12
    assert Counter(noted(tmp_path / "asked")).most_common(1)[0][1] == 1
    alone = Study.open(tmp_path / "alone", replayed(full=True, **EVERY))
    alone.run(Replay(table), Stop(trials=60))
    whole, found = values(alone.records()), values(one for one in records if one.state == "complete")
    assert found and {text: whole[text] for text in found} == found
    assert not (folder / ".workers").exists()


def test_workers_search_a_space_to_its_end_and_find_its_front(tmp_path, storage, table):
    alone = Study.open(tmp_path / "alone", replayed(**EVERY))
    alone.run(Replay(table), Stop(trials=60))
    folder, evaluator = tmp_path / "s", Slow(table, tmp_path, 0.01)
    study = created(folder, storage, evaluator, replayed(sampler="random", proposals="off"))
    leave(*(start(folder, evaluator, 100) for _ in range(3)))
    assert values(study.front()) == values(alone.front())
    assert len({one.key for one in study.records()}) == 20


def kills(folder, evaluator, count, rng, trials, pause):
    """Two workers, and now and then one of them is killed and replaced; how often that was."""
    workers = [start(folder, evaluator, trials) for _ in range(2)]
    for _ in range(count):
        time.sleep(rng.uniform(0, pause))
        at = rng.randrange(2)
        with suppress(ProcessLookupError):  # it has done all there was
            workers[at].kill()
        workers[at].join()
        workers[at] = start(folder, evaluator, trials)
    leave(*workers)


def check_whole(study, alone, folder, size):
    """Nothing lost, nothing twice, and the front of a run that nobody disturbed."""
    records = study.records()
    numbers = [record.number for record in records]
    assert len(numbers) == len({*numbers})
    assert {*map(int, noted(folder / "finished"))} <= {*numbers}
    evaluated = [record.key for record in records if record.evaluated]
    assert len(evaluated) == len({*evaluated}) == size
    assert values(study.front()) == values(alone.front())


@pytest.mark.parametrize(
    ("count", "space"),
    [pytest.param(6, TWENTY, id="6 times"), pytest.param(50, SIXTY, id="50 times", marks=pytest.mark.slow)],
)
def test_killed_workers_lose_nothing_and_count_nothing_twice(tmp_path, storage, table, count, space, monkeypatch):
    monkeypatch.setattr("studies.desk.DEATHS", count + 1)  # chance may hit one trial five times, which would fail it
    alone = Study.open(tmp_path / "alone", replayed(space=space, **EVERY))
    alone.run(Replay(table), Stop(trials=60))
    evaluator = Slow(table, tmp_path, 0.06)
    study = created(tmp_path / "s", storage, evaluator, replayed(space=space, **EVERY))
    kills(tmp_path / "s", evaluator, count, random.Random(count), space.size, 0.3 if storage is None else 1.0)
    check_whole(study, alone, tmp_path, space.size)
    assert not [one for one in study.records() if one.state == "failed"]


def test_the_trial_of_a_dead_worker_is_the_next_ones_first(tmp_path, storage, table):
    study = created(tmp_path / "s", storage, Slow(table, tmp_path), replayed())
    first = start(tmp_path / "s", Slow(table, tmp_path, 60.0), 3)
    while len(asked := noted(tmp_path / "asked")) < 2:
        time.sleep(0.01)
    first.kill()
    first.join()
    second = start(tmp_path / "s", Slow(table, tmp_path), 3)
    leave(second)
    assert noted(tmp_path / "asked")[2] == asked[1]
    assert [one.number for one in study.records()] == [0, 1, 2]
    assert study.records()[1].candidate == asked[1]


def test_what_a_living_worker_evaluates_is_left_to_it(tmp_path, storage, table):
    created(tmp_path / "s", storage, Slow(table, tmp_path), replayed())
    first = start(tmp_path / "s", Slow(table, tmp_path, 60.0), 3)
    while len(noted(tmp_path / "asked")) < 2:
        time.sleep(0.01)
    second = start(tmp_path / "s", Slow(table, tmp_path), 3)
    while len(noted(tmp_path / "asked")) < 3:
        time.sleep(0.01)
    time.sleep(0.3)
    assert second.is_alive()  # the third may yet turn out to cost nothing
    assert len({*noted(tmp_path / "asked")}) == 3
    first.kill()
    leave(second)
    assert sum(one.evaluated for one in Study.load(tmp_path / "s").records()) == 3


class Deadly(Arithmetic):
    """Kills its process over any candidate, as the kernel does where memory ends."""

    def measure(self, candidate, names):
        os.kill(os.getpid(), signal.SIGKILL)
        yield from ()


def test_a_candidate_that_kills_its_workers_fails_at_last(tmp_path, storage):
    cfg = config(space=SearchSpace(precisions=("xnor", "fp"), input_bits=(8,)), sampler="exhaustive")
    study, deaths = created(tmp_path / "s", storage, Arithmetic(), cfg), 0
    while (worker := start(tmp_path / "s", Deadly(), 10)) and deaths <= 10:
        worker.join(30)
        if worker.exitcode == 0:
            break
        deaths += 1
    first, *others = study.records()
    assert deaths == 5
    assert [one.reason for one in others] == ["5 workers died while they evaluated it"]
    assert {first.key, others[0].key} == {one.key() for one in cfg.space.enumerate()}


def test_a_worker_that_fails_leaves_the_others_at_work(tmp_path, storage, table):
    def broken(candidate, name):
        if name == "acc":
            raise RuntimeError("no kernel image is available")

    cfg = config(space=SIXTY, sampler="random")
    study = created(tmp_path / "s", storage, Arithmetic(), cfg)
    leave(start(tmp_path / "s", Arithmetic(trouble=broken), 15), start(tmp_path / "s", Arithmetic(pause=0.1), 15))
    states = Counter(one.state for one in study.records())
    assert states["failed"] == 3
    assert states["complete"] == 12


def test_a_run_and_a_worker_work_side_by_side(tmp_path, storage, table):
    evaluator = Slow(table, tmp_path)
    study = created(tmp_path / "s", storage, evaluator, replayed())
    worker = start(tmp_path / "s", evaluator, 12)
    events = []
    stopped = study.run(evaluator, Stop(trials=12), events.append)
    leave(worker)
    assert (stopped.reason, stopped.evaluated) == ("trials", 12)
    assert Counter(noted(tmp_path / "asked")).most_common(1)[0][1] == 1
    finished = [one.record.number for one in events if isinstance(one, TrialFinished)]
    assert len(finished) == len({*finished}) == len(study.records()) - 1  # all are told of, whoever measured


def test_a_worker_alone_does_what_a_run_does(tmp_path, storage):
    study = created(tmp_path / "s", storage, Arithmetic(), config(space=SIXTY))
    study.join(Arithmetic(), Stop(trials=12))
    whole = Study.open(tmp_path / "whole", config(space=SIXTY))
    whole.run(Arithmetic(), Stop(trials=1))
    whole.run(Arithmetic(), Stop(trials=12))
    assert story(study.records()) == story(whole.records())


@pytest.mark.postgresql
def test_a_worker_of_another_host_lives_as_long_as_its_heart_beats(tmp_path, table, postgresql, monkeypatch):
    """Its sign of life is out of sight, so the database's heartbeat decides; a minute passes there at once."""
    url = postgresql.fresh()
    created(tmp_path / "s", url, Slow(table, tmp_path), replayed())
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("studies.workers.signs.BOOT", tmp_path / "another boot")
        (tmp_path / "another boot").write_text("another machine")
        far = start(tmp_path / "s", Slow(table, tmp_path, 60.0), 3)
        while len(asked := noted(tmp_path / "asked")) < 2:
            time.sleep(0.01)
        far.kill()
    near = start(tmp_path / "s", Slow(table, tmp_path), 3)
    time.sleep(2.0)
    assert near.is_alive()
    assert asked[1] not in noted(tmp_path / "asked")[2:]
    postgresql.run(url, "UPDATE trial_heartbeats SET heartbeat = heartbeat - interval '10 minutes'")
    leave(near)
    assert asked[1] in noted(tmp_path / "asked")[2:]
    assert [one.number for one in Study.load(tmp_path / "s").records()] == [0, 1, 2]


@pytest.mark.postgresql
def test_workers_wait_for_a_database_that_is_restarted_and_go_on(tmp_path, table):
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "s")
        server.start()
        evaluator = Slow(table, tmp_path, 0.1)
        study = created(tmp_path / "s", server.fresh(), evaluator, replayed(**EVERY))
        workers = [start(tmp_path / "s", evaluator, 20) for _ in range(2)]
        for mode in ("fast", "immediate"):
            before = len(noted(tmp_path / "asked"))
            while len(noted(tmp_path / "asked")) < before + 4:
                time.sleep(0.01)
            server.stop(mode)
            time.sleep(0.5)
            server.start()
        leave(*workers)
        records = study.records()
        assert sum(one.evaluated for one in records) == 20 == len({one.key for one in records if one.evaluated})
        del study
        server.stop()


@pytest.mark.postgresql
def test_who_lost_its_turn_claims_nothing(tmp_path, table, postgresql):
    url = postgresql.fresh()
    study = created(tmp_path / "s", url, Slow(table, tmp_path), replayed())
    colleagues, claim = Colleagues(study._place, study._trials), Claim(candidate="fp", key="fp")
    trial = study._trials._storage.create_new_trial(study._trials._study_id)
    with pytest.raises(Lost), colleagues.turn():
        postgresql.run(url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        colleagues.claim(trial, claim)
    assert not colleagues._tended
    with colleagues.turn():
        assert colleagues.claim(trial, claim).worker
    assert colleagues._tended == {trial}
    colleagues.leave()


@pytest.mark.postgresql
def test_a_host_that_does_not_see_the_folder_names_the_study(tmp_path, table, postgresql):
    url = postgresql.fresh()
    study = created(tmp_path / "here", url, Slow(table, tmp_path), replayed())
    there = Study.load(Path("runs/here"), url)
    assert there.join(Slow(table, tmp_path), Stop(trials=3)).reason == "trials"
    assert len(study.records()) == 3
    with pytest.raises(UserError, match="no study: got 'nowhere'"):
        Study.load("nowhere", url)
    created(tmp_path / "other" / "here", url, Slow(table, tmp_path), replayed())
    with pytest.raises(UserError, match=r"several studies of this name: got 'here'; expected one of bitfront-.*, bit"):
        Study.load("here", url)


def test_sqlite_is_no_place_for_several_workers(tmp_path):
    study = created(tmp_path / "s", f"sqlite:///{tmp_path}/trials.db", Arithmetic(), config())
    with pytest.raises(UserError, match=r"several workers in one study: got 'sqlite:.*postgresql://.*locks the whole"):
        study.join(Arithmetic(), Stop(trials=3))


def test_other_data_are_refused_by_name(tmp_path, storage):
    study = created(tmp_path / "s", storage, Arithmetic(), config())
    other = Arithmetic(protocol=PROTOCOL.__class__(**{**vars(PROTOCOL), "checksum": "1"}))
    with pytest.raises(UserError, match=r"another protocol.checksum: got '1'; expected 0; hint: this host's data"):
        study.join(other, Stop(trials=3))
