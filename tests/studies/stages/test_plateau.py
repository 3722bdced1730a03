"""A run that ends because its front has stopped to grow."""

import pytest
from closed_form import Arithmetic, config, measurement

from space.errors import UserError
from studies.config import Plateau, Stop
from studies.fronts.bounds import Bounds
from studies.fronts.history import hypervolume_trace
from studies.limits import Limit
from studies.records import Record
from studies.stages.plateau import PlateauWatch
from studies.study import Study

BOUNDS = Bounds({"bops": (1e6, 1.6e7)})


def record(number, acc, state="complete"):
    """At the middle of the costs, on a log scale: the hypervolume of the best is half its accuracy."""
    measured = {"acc": measurement("acc", acc), "bops": measurement("bops", 4e6)}
    return Record(number=number, candidate="fp", key=str(number), state=state, measurements=measured)


def reached(plateau, records):
    return PlateauWatch(plateau, config(objectives=("acc", "bops")), BOUNDS, records).reached


def test_a_plateau_by_hand():
    rising = [record(i, acc) for i, acc in enumerate([0.2, 0.5, 0.8])]
    assert reached(Plateau(3), rising) == ""
    flat = [*rising, record(3, 0.8), record(4, 0.7)]
    assert reached(Plateau(3), flat) == ""  # grew from 0.25 to 0.4
    assert reached(Plateau(2), flat) == "hypervolume 0.4000, grew by 0.0000 over the last 2 evaluations"
    slow = [*rising, record(3, 0.802), record(4, 0.804)]
    assert reached(Plateau(2), slow) == ""
    assert reached(Plateau(2, 0.01), slow) == "hypervolume 0.4020, grew by 0.0020 over the last 2 evaluations"
    assert reached(Plateau(2, 0.0049), slow) == ""  # it is 0.00498 of the volume


def test_free_trials_are_no_evaluations_and_failures_are():
    vetoed = [Record(number=i, candidate="fp", key=str(i), state="vetoed") for i in (2, 3, 4)]
    assert reached(Plateau(3), [record(0, 0.5), record(1, 0.4), *vetoed]) == ""
    failed = [record(i, 0.9, "failed") for i in (2, 3, 4)]
    assert reached(Plateau(3), [record(0, 0.5), record(1, 0.4), *failed]).startswith("hypervolume 0.2500")


def test_there_is_no_plateau_before_anything_is_on_the_front():
    assert reached(Plateau(2), [record(i, 0.9, "failed") for i in range(5)]) == ""


@pytest.mark.parametrize("limits", [(), (Limit.parse("acc>=0.7"),)])
def test_a_run_ends_at_the_first_plateau_of_its_trace(tmp_path, limits):
    plateau = Plateau(10, 0.02)
    study = Study.open(tmp_path, config(sampler="random", limits=limits, proposals="off"))
    stopped = study.run(Arithmetic(), Stop(trials=400, plateau=plateau))
    records = study.records()
    volumes = [0.0]
    for count, one in enumerate(records, 1):
        trace = hypervolume_trace(records[:count], study.config.objectives, study.bounds, study.config.terms)
        volumes += [trace[-1][1] if trace else 0.0] if one.evaluated else []
    flat = [
        end
        for end in range(10, len(volumes))
        if volumes[end] > 0 and volumes[end] - volumes[end - 10] < 0.02 * volumes[end]
    ]
    assert flat == [len(volumes) - 1] == [stopped.evaluated]
    assert 10 < stopped.evaluated < 400
    assert stopped.reason == "plateau"
    growth = volumes[-1] - volumes[-11]
    assert stopped.detail == f"hypervolume {volumes[-1]:.4f}, grew by {growth:.4f} over the last 10 evaluations"


def test_a_run_in_pieces_ends_where_one_in_a_piece_does(tmp_path):
    stop, setting = Stop(trials=400, plateau=Plateau(10, 0.02)), config(sampler="random", proposals="off")
    whole = Study.open(tmp_path / "whole", setting).run(Arithmetic(), stop)
    pieces = Study.open(tmp_path / "pieces", setting)
    pieces.run(Arithmetic(), Stop(trials=400, plateau=Plateau(4, 0.02)))
    assert 0 < sum(one.evaluated for one in pieces.records()) < whole.evaluated
    again = Study.open(tmp_path / "pieces", setting).run(Arithmetic(), stop)
    assert (again.reason, again.detail, again.evaluated) == (whole.reason, whole.detail, whole.evaluated)
    once_more = Study.open(tmp_path / "pieces", setting).run(Arithmetic(), stop)
    assert (once_more.reason, once_more.evaluated) == ("plateau", whole.evaluated)


def test_without_a_plateau_a_run_takes_all_its_trials(tmp_path):
    study = Study.open(tmp_path, config(sampler="random", proposals="off"))
    assert study.run(Arithmetic(), Stop(trials=40)).reason == "trials"


def test_a_plateau_is_read_and_refused():
    assert Plateau.parse("12") == Plateau(12, 0.001)
    assert Plateau.parse("12:0.05") == Plateau(12, 0.05)
    for text in ("", "many", "5:", "5:x", "1.5", "5:0.1:2"):
        with pytest.raises(UserError, match=r"--plateau: got '.*'; expected evaluations, or evaluations:share; hint"):
            Plateau.parse(text)
    with pytest.raises(UserError, match="evaluations of a plateau out of range: got 0"):
        Plateau.parse("0")
    for text in ("5:0", "5:1.5", "5:nan"):
        with pytest.raises(UserError, match="growth of a plateau out of range"):
            Plateau.parse(text)
