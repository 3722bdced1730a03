"""Rows are measured once, found again, and measured anew when anything they depend on changes."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from space import UserError
from studies.papers.machine import Machine
from studies.papers.reproduction import Reproduction, usual_jobs
from studies.papers.scales import SMOKE, find_scale
from studies.papers.setup import Setup, check_data, choose_data, open_judge
from studies.papers.sheet import make_sheet
from studies.papers.stand_in import as_colour
from studies.papers.table import DATASETS, DataInfo, Row

MACHINE = Machine(cores=2, processor="P")
SCALE = replace(SMOKE, images=8, train_images=16)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def setup(tmp_path, cache):
    return Setup(
        table="D2-mnist",
        scale=SCALE,
        dataset="mnist5k",
        stand_in=True,
        folder=tmp_path,
        machine=MACHINE,
        device="cpu",
        cache=cache,
    )


@pytest.fixture(scope="module")
def some_digits(tmp_path_factory, mnist5k):
    """A file with a few hundred digits, which opens at once."""
    parts = {"train": mnist5k.train.head(200), "test": mnist5k.test.head(50)}
    arrays = {
        f"{letter}_{name}": values.numpy()
        for name, part in parts.items()
        for letter, values in (("x", part.images.squeeze(1)), ("y", part.labels))
    }
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, **arrays)
    return path


def rows(setup, *names):
    return [row for row in setup.design.rows if row.name in names]


def finished(reproduction, chosen, processes=1):
    """Run what is pending; returns what was shown."""
    shown = []
    reproduction.run(reproduction.pending(chosen), processes, shown.append)
    return shown


def test_a_row_is_measured_once(setup):
    reproduction, chosen = Reproduction(setup), rows(setup, "FP", "EMPIR as published")
    first = finished(reproduction, chosen)
    assert [one.job.row.name for one in first] == ["FP", "EMPIR as published"]
    assert all(one.result.measurements.keys() == {"clean", "CW", "FGSM", "BIM", "PGD", "worst case"} for one in first)
    counts = {name: one.n for name, one in first[0].result.measurements.items()}
    assert counts == {"clean": SCALE.clean_images, "CW": 8, "FGSM": 8, "BIM": 8, "PGD": 8, "worst case": 8}
    assert finished(reproduction, chosen) == []
    again = [reproduction.result(job) for job in reproduction.jobs(chosen)]
    assert again == [one.result for one in first]


@pytest.mark.parametrize(
    "change",
    [
        {"images": 9},
        {"train_images": 18},
        {"steps": 3},
        {"epochs": 2},
        {"width": 0.25},
        {"name": "short"},
    ],
)
def test_another_budget_is_measured_anew(setup, change):
    chosen = rows(setup, "FP")
    finished(Reproduction(setup), chosen)
    other = Reproduction(replace(setup, scale=replace(SCALE, **change)))
    assert [job.seed for job in other.pending(chosen)] == [0]
    assert Reproduction(setup).pending(chosen) == []


def test_another_data_set_is_measured_anew_and_the_same_under_another_name_is_not(setup, tmp_path, some_digits):
    chosen = rows(setup, "FP")
    for name in ("one", "two"):
        shutil.copy(some_digits, tmp_path / f"{name}.npz")
    finished(Reproduction(setup), chosen)
    one, two = (replace(setup, dataset=str(tmp_path / f"{name}.npz")) for name in ("one", "two"))
    assert len(finished(Reproduction(one), chosen)) == 1
    assert Reproduction(two).pending(chosen) == []


def test_more_seeds_add_rows_and_an_error_between_them(setup):
    chosen = rows(setup, "FP")
    finished(Reproduction(setup), chosen)
    more = Reproduction(replace(setup, scale=replace(SCALE, seeds=2)))
    assert [(job.row.name, job.seed) for job in more.pending(chosen)] == [("FP", 1)]
    finished(more, chosen)
    sheet = make_sheet(more)
    cells = {line.row.name: line.cells["clean"] for line in sheet.lines}
    assert cells["FP"].seeds == 2
    assert cells["FP"].difference == pytest.approx(cells["FP"].measured - 98.87)
    assert cells["Distillation"].measured is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 99}', "\x00"])
def test_a_damaged_result_counts_as_absent(setup, text):
    reproduction, chosen = Reproduction(setup), rows(setup, "FP")
    finished(reproduction, chosen)
    [job] = reproduction.jobs(chosen)
    setup.path(job.row, job.seed).write_text(text)
    assert reproduction.pending(chosen) == [job]


def test_what_was_finished_before_an_interrupt_is_kept(setup):
    reproduction, chosen = Reproduction(setup), rows(setup, "FP", "FGSM training")

    def interrupt(finished):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduction.run(reproduction.pending(chosen), 1, interrupt)
    assert [job.row.name for job in reproduction.pending(chosen)] == ["FGSM training"]


def test_a_row_that_fails_is_told_and_does_not_end_the_others(setup):
    reproduction = Reproduction(setup)
    broken = Row(name="too many layers", candidate="fp:mu255@99")
    first, second = finished(reproduction, [broken, *rows(setup, "FP")])
    assert first.result is None
    assert "maps more layers than mnistconv has" in first.reason
    assert second.result is not None
    assert [job.row.name for job in reproduction.pending([broken, *rows(setup, "FP")])] == ["too many layers"]


def test_processes_beside_each_other_give_what_one_process_gives(setup, tmp_path, some_digits):
    setup = replace(setup, dataset=str(some_digits))
    chosen = rows(setup, "FP", "FGSM training")
    here = finished(Reproduction(setup), chosen)
    beside = replace(setup, folder=tmp_path / "beside")
    there = finished(Reproduction(beside), chosen, processes=2)
    values = [{one.job.row.name: one.result.measurements["PGD"].value for one in side} for side in (here, there)]
    assert values[0] == values[1]


def test_a_result_says_what_it_was_made_with(setup):
    [one] = finished(Reproduction(setup), rows(setup, "Gradient reg."))
    stored = json.loads(setup.path(one.job.row, 0).read_text())
    assert stored["machine"] == {"cores": 2, "processor": "P", "gpu": ""}
    assert stored["trained"] == one.result.trained >= 0
    assert stored["identity"]["candidate"] == "fp:gradreg:x0.125"
    assert stored["identity"]["columns"]["PGD"]["step_size"] == 0.01
    assert {"python", "torch", "bitfront"} <= stored["versions"].keys()
    assert stored["seconds"] > 0


def test_an_attack_is_cut_to_the_scale_and_keeps_its_source(setup):
    [empir] = rows(setup, "EMPIR as published")
    attack = setup.attack(empir, "BIM")
    assert (attack.steps, attack.epsilon, attack.step_size) == (2, 0.3, 0.01)
    assert str(attack.source) == "fp:x0.125"
    assert setup.attack(empir, "PGD").source is None
    assert setup.attack(empir, "clean") is None
    full = replace(setup, scale=find_scale("paper", setup.design))
    assert full.attack(empir, "PGD").steps == 40
    assert str(full.candidate(empir.candidate)) == empir.candidate


def test_data_of_another_shape_or_class_count_is_refused(setup):
    check_data(setup.design, DATASETS["mnist"])
    for found in (DataInfo(shape=(3, 32, 32), classes=10), DataInfo(shape=(1, 28, 28), classes=26)):
        with pytest.raises(UserError, match=r"does not fit table D2-mnist: got .*; expected 1x28x28, 10 classes"):
            check_data(setup.design, found)


def test_smoke_alone_uses_stand_ins(setup, tmp_path):
    from studies import TABLES

    name, stand_in = choose_data(TABLES["A6"], SMOKE, None, tmp_path)
    assert stand_in
    with np.load(name) as arrays:
        assert arrays["x_train"].shape == (400, 32, 32, 3)
        assert arrays["x_test"].shape == (100, 32, 32, 3)
        assert {*arrays["y_train"].tolist()} == {*range(10)}
    assert choose_data(TABLES["C1"], SMOKE, None, tmp_path) == ("mnist5k", True)
    assert choose_data(TABLES["A6"], SMOKE, "own.npz", tmp_path) == ("own.npz", False)
    assert choose_data(TABLES["A6"], find_scale("short", TABLES["A6"]), None, tmp_path) == ("cifar100", False)


def test_a_grey_image_stands_in_the_middle_of_three_equal_channels():
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 1, 28, 28)
    colour = as_colour(images)
    assert colour.shape == (2, 32, 32, 3)
    for channel in range(3):
        assert (colour[:, 2:30, 2:30, channel] == images[:, 0]).all()
    assert colour.astype(int).sum() == 3 * images.astype(int).sum()


def test_rows_run_beside_each_other_where_there_is_room(setup, monkeypatch):
    monkeypatch.setattr("studies.papers.reproduction.available_cores", lambda: 32)
    short = replace(setup, scale=find_scale("short", setup.design))
    assert usual_jobs(setup) == 1
    assert usual_jobs(short) == 8
    monkeypatch.setattr("studies.papers.reproduction.available_cores", lambda: 4)
    assert usual_jobs(short) == 4
    assert usual_jobs(replace(short, machine=replace(MACHINE, gpu="G"))) == 1


def test_the_evaluator_has_the_tables_protocol(setup):
    protocol = open_judge(setup, 3).protocol
    assert (protocol.network, protocol.epsilon, protocol.seed) == ("mnistconv", 0.3, 3)
