"""Lock files: written, read back, and refused where they are damaged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from closed_form import Arithmetic, config

from evaluators.identity import Identity
from space.errors import UserError
from studies import Lock, Stop, Study, lock_of, read_lock, select, write_outputs, write_selected
from studies.selection.locking import remembering


class Identified(Arithmetic):
    """Names the weights of members."""

    code = "c0de"

    def identities(self, candidate):
        return tuple(Identity(f"{place:08x}", f"{place:064x}" if place else None) for place in range(2))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study.open(tmp_path_factory.mktemp("locked") / "mine", config(sampler="random"))
    study.run(Arithmetic(), Stop(trials=12))
    return study


@pytest.fixture(scope="module")
def lock(study):
    return lock_of(study, select(study.records(), study.config.objectives), Identified())


def test_a_lock_file_is_read_back_as_it_was_written(study, lock):
    selection = write_outputs(study, evaluator=Identified())
    assert lock == lock_of(study, selection, Identified())
    for place in (study.folder, str(study.folder), study.folder / "selected.json"):
        assert read_lock(place) == lock
    assert Lock.from_json(json.loads(json.dumps(lock.to_json()))) == lock


def test_it_holds_all_it_takes_to_build_the_network_again(study, lock):
    chosen = select(study.records(), study.config.objectives).chosen
    assert (lock.study, lock.number, str(lock.candidate)) == ("mine", chosen.number, chosen.candidate)
    assert (lock.protocol, lock.budget, lock.split_seed) == (study.config.protocol, study.config.budget, 0)
    assert lock.measurements == lock.chosen.measurements == chosen.measurements
    assert (lock.part, lock.confirmed, dict(lock.verification)) == ("validation", False, {})
    assert [one.key for one in lock.members] == ["00000000", "00000001"]
    assert [one.weights is None for one in lock.members] == [True, False]
    assert lock.versions.keys() >= {"bitfront", "python", "torch", "numpy", "code"}
    assert lock.chosen.front_probability == study.front_probability()[chosen.number]


def test_an_evaluator_without_weights_leaves_them_out(study):
    lock = lock_of(study, select(study.records(), study.config.objectives), Arithmetic())
    assert lock.members == ()
    assert "code" not in lock.versions


class Forgetful(Identified):
    """Knows which members, and no weights."""

    def identities(self, candidate):
        return tuple(replace(one, weights=None) for one in super().identities(candidate))


def test_weights_that_the_file_names_are_not_forgotten(study):
    selection = write_outputs(study, evaluator=Identified())
    known = read_lock(study.folder).members
    write_selected(study, selection, Forgetful())
    assert read_lock(study.folder).members == known
    (study.folder / "selected.json").unlink()
    write_selected(study, selection, Forgetful())
    assert [one.weights for one in read_lock(study.folder).members] == [None, None]


def test_who_cannot_ask_for_weights_keeps_those_of_the_same_network_alone(study, lock):
    nameless = lock_of(study, select(study.records(), study.config.objectives))
    assert (nameless.members, "code" in nameless.versions) == ((), False)
    assert remembering(nameless, lock) == lock
    others = [
        replace(lock, split_seed=1),
        replace(lock, budget=replace(lock.budget, epochs=99)),
        replace(lock, versions={**lock.versions, "torch": "0.1"}),
        replace(lock, chosen=next(one for one in lock.runners_up if one.candidate != lock.chosen.candidate)),
    ]
    for other in others:
        assert remembering(nameless, other) == nameless


def test_of_a_mean_over_seeds_the_network_of_the_study_is_locked(tmp_path):
    class Repeated(Arithmetic):
        def repeated(self, run):
            return replace(self, pause=0.0)

    study = Study.open(tmp_path / "again", config(sampler="random"))
    study.run(Repeated(), Stop(trials=8, repeats=2))
    repeated = [one for one in study.records() if one.repeats]
    assert repeated
    for record in study.front():
        if record.runs > 1:
            own = next(one for one in study.records() if one.number == record.number)
            selection = replace(select(study.records(), study.config.objectives), chosen=record)
            lock = lock_of(study, selection)
            assert lock.measurements == own.measurements
            assert lock.chosen.measurements == record.measurements
            assert lock.chosen.runs == record.runs


def damaged(lock, path, value):
    data = json.loads(json.dumps(lock.to_json()))
    place = data
    for name in path[:-1]:
        place = place[name]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], 0),
        (["format"], KeyError),
        (["part"], "training"),
        (["study"], 3),
        (["chosen"], None),
        (["chosen", "candidate"], "../../etc"),
        (["chosen", "number"], "1"),
        (["chosen", "number"], True),
        (["protocol", "epsilon"], 7),
        (["protocol", "dataset"], ["x"]),
        (["protocol", "nosuch"], 1),
        (["budget"], []),
        (["measurements"], [1]),
        (["measurements", "acc", "value"], "high"),
        (["limits"], ["bops<7"]),
        (["members", 0, "weights"], 5),
        (["members", 0], "key"),
        (["versions"], ["torch"]),
        (["split_seed"], 1.5),
    ],
)
def test_a_damaged_lock_is_refused_in_one_line(tmp_path, lock, path, value):
    file = tmp_path / "lock.json"
    file.write_text(json.dumps(damaged(lock, path, value)))
    with pytest.raises(UserError, match=r"^damaged lock file: got '.*lock.json'; expected a lock file of this version"):
        read_lock(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'"text"', b"null", b"[" * 100_000])
def test_what_is_no_lock_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "lock.json"
    file.write_bytes(content)
    with pytest.raises(UserError, match="damaged lock file"):
        read_lock(file)


def test_where_there_is_none_it_says_what_writes_one(tmp_path):
    for place in (tmp_path, tmp_path / "none", Path("/dev/null")):
        with pytest.raises(UserError, match=r"no lock file: got .*; hint: select writes one"):
            read_lock(place)
