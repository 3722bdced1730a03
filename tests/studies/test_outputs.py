"""The files a run leaves, read back."""

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import get_args

import pytest
from closed_form import Arithmetic, config
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from evaluators.verdict import VERDICTS
from space.candidate import Candidate
from space.errors import UserError
from space.shown import line
from studies import Limit, Record, Stop, Study, StudyConfig, select, write_outputs, write_selected
from studies.outputs import front_csv, trials_csv
from studies.records import Origin
from studies.selection.offer import Offer
from studies.storage.files import write_text

LIMITS = (Limit.parse("bops<=8e7"), Limit.parse("acc>=0.6"))
FILES = {"study.json", "trials.csv", "front.csv", "front.json", "selected.json"}


def fail(candidate, name):
    if name == "pgd" and candidate.input_bits == 4:
        raise MemoryError("=1+1 images do not fit")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """With all states but duplicates; 24 evaluated."""
    study = Study.open(tmp_path_factory.mktemp("outputs"), config(sampler="random", limits=LIMITS))
    study.run(Arithmetic(trouble=fail), Stop(trials=24))
    return study


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def loaded(study, name):
    return json.loads((study.folder / name).read_text(encoding="utf-8"))


def test_every_file_is_there_and_no_other(study):
    before = {path.name for path in study.folder.iterdir()} - FILES
    write_outputs(study)
    assert {path.name for path in study.folder.iterdir()} == before | FILES


def test_trials_has_a_row_per_trial(study):
    write_outputs(study)
    table, records = rows(study.folder / "trials.csv"), study.records()
    columns = (
        "number,candidate,origin,state,seconds,acc,acc_se,pgd,pgd_se,pgd_low,pgd_high,bops,bops_se,"
        "pgd_naive,gap,verdict,rules,front_probability,reason"
    )
    assert list(table[0]) == columns.split(",")
    assert len(table) == len(records) >= 24
    for row, record in zip(table, records, strict=True):
        assert (int(row["number"]), row["candidate"], row["state"]) == (
            record.number,
            record.candidate,
            record.state,
        )
        assert float(row["seconds"]) == pytest.approx(record.seconds, abs=1e-3)
        assert row["reason"] == record.reason
        assert row["origin"] == ("design" if record.number < len(study.design) else "sampler")
        for name in ("acc", "pgd", "bops"):
            one = record.measurements.get(name)
            assert (row[name], row[f"{name}_se"]) == (("", "") if one is None else (repr(one.value), repr(one.stderr)))
        assert row["verdict"] == ("ok" if record.state == "complete" else "unchecked")
        assert row["front_probability"] == str(study.front_probability().get(record.number, ""))
        if record.state == "complete":
            pgd, naive = record.measurements["pgd"], record.measurements["pgd_naive"]
            assert (float(row["pgd_low"]), float(row["pgd_high"])) == pgd.interval
            assert float(row["pgd_low"]) < float(row["pgd"]) < float(row["pgd_high"])
            assert float(row["pgd_naive"]) == naive.value
            assert float(row["gap"]) == naive.value - pgd.value
        else:
            assert row["pgd_low"] == row["pgd_high"] == row["gap"] == row["rules"] == ""


def test_the_front_is_the_same_in_both_forms(study):
    write_outputs(study)
    front, table = loaded(study, "front.json"), rows(study.folder / "front.csv")
    assert front.keys() == {"objectives", "front"}
    assert front["objectives"] == ["acc", "pgd", "bops"]
    assert [one["number"] for one in front["front"]] == [record.number for record in study.front()]
    assert [row["number"] for row in table] == [str(record.number) for record in study.front()]
    for one, row, record in zip(front["front"], table, study.front(), strict=True):
        judged = {"gap", "verdict", "rules", "front_probability"}
        assert one.keys() == {"number", "candidate", "origin", "runs", "measurements"} | judged
        assert one["runs"] == int(row["runs"]) == 1
        assert one["front_probability"] == float(row["front_probability"]) == study.front_probability()[record.number]
        assert one["origin"] == row["origin"] == record.origin
        measured = {name: Measurement.from_json(data) for name, data in one["measurements"].items()}
        assert measured == record.measurements
        assert one["verdict"] == row["verdict"] == "ok"
        assert one["gap"] == float(row["gap"]) == record.gap
        assert float(row["pgd_high"]) == measured["pgd"].interval[1]
        assert float(row["pgd"]) == measured["pgd"].value


def test_the_study_can_be_read_without_optuna(study):
    write_outputs(study)
    data = loaded(study, "study.json")
    records = study.records()
    assert StudyConfig.from_json(data["config"]) == study.config
    assert [Record.from_json(one) for one in data["records"]] == records
    assert data["evaluated"] == 24
    assert sum(data["states"].values()) == len(records)
    assert data["seconds"] == records[-1].at
    assert data["hypervolume"][-1][1] > 0
    assert data["front_probability"] == {str(number): one for number, one in study.front_probability().items() if one}
    assert tuple(data["design"]) == study.design
    assert data["bounds"]["bops"] == list(study.bounds.costs["bops"])


def test_the_selected_one_can_be_built_and_measured_again(study):
    selection = write_outputs(study, "best:acc")
    data = loaded(study, "selected.json")
    assert selection == Offer.of(study).select(study.config.objectives, study.config.terms, "best:acc")
    assert data["number"] == selection.chosen.number
    assert Candidate.from_json(data["configuration"]) == Candidate.parse(data["candidate"])
    assert (data["rule"], data["reason"]) == (selection.rule, selection.reason)
    assert [one["number"] for one in data["runners_up"]] == [one.number for one in selection.runners_up]
    assert data["limits"] == ["acc>=0.6", "bops<=8e+07"]
    assert (data["allow_masked"], data["verdict"], data["rules"], data["warning"]) == (False, "ok", [], "")
    assert data["protocol"]["epsilon"] == 0.2
    assert data["budget"]["steps"] == 20
    assert data["versions"] == study.versions


def test_limits_of_the_selection_leave_the_front_alone(study):
    write_outputs(study)
    front = loaded(study, "front.json")
    cheap = sorted(record.measurements["bops"].value for record in study.front())[1]
    selection = write_outputs(study, limits=[Limit("bops", "<=", cheap)])
    assert selection.chosen.measurements["bops"].value <= cheap
    assert loaded(study, "front.json") == front


def test_nothing_selected_leaves_no_old_selection_behind(study):
    write_outputs(study)
    assert write_outputs(study, limits=[Limit.parse("acc>=0.9999")]) is None
    assert not (study.folder / "selected.json").exists()
    assert (study.folder / "front.json").exists()


def test_a_selection_is_written_on_its_own(study):
    selection = select(study.records(), study.config.objectives, rule="best:bops")
    assert write_selected(study, selection) == study.folder / "selected.json"
    assert loaded(study, "selected.json")["number"] == selection.chosen.number


def test_the_page_on_files_names_every_file_column_verdict_and_origin(study):
    write_outputs(study)
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
    named = {name for text in re.findall(r"`([^`]+)`", page) for name in text.split(", ")}
    assert named >= FILES
    header = trials_csv([], ("acc", "pgd"), {}).strip().split(",")
    assert {re.sub("^(acc|pgd)(?=_|$)(?!_naive)", "NAME", name) for name in header} <= named
    assert named >= {*VERDICTS}
    assert named >= {*get_args(Origin)} - {""}
    chosen = loaded(study, "selected.json")
    assert set(re.search(r"`{(.*)}`", page)[1].replace('"', "").split(", ")) == chosen["measurements"]["pgd"].keys()


def test_what_only_a_limit_is_on_has_columns(tmp_path):
    study = Study.open(tmp_path / "limited", config(objectives=("acc", "bops"), limits=(Limit.parse("memory<=1e12"),)))
    study.run(Arithmetic(), Stop(trials=3))
    write_outputs(study)
    for table in ("trials.csv", "front.csv"):
        listed = rows(study.folder / table)
        assert listed
        for row in listed:
            record = next(one for one in study.records() if one.number == int(row["number"]))
            assert float(row["memory"]) == record.measurements["memory"].value


def test_an_unknown_rule_writes_nothing(study):
    write_outputs(study)
    before = (study.folder / "study.json").stat().st_mtime_ns
    with pytest.raises(UserError, match="unknown rule: got 'cheapest'"):
        write_outputs(study, "cheapest")
    assert (study.folder / "study.json").stat().st_mtime_ns == before


def test_files_are_the_same_however_often_they_are_written(study):
    write_outputs(study)
    first = {name: (study.folder / name).read_bytes() for name in FILES}
    write_outputs(Study.load(study.folder))
    assert {name: (study.folder / name).read_bytes() for name in FILES} == first


def test_a_study_without_a_complete_record_has_empty_tables(tmp_path):
    def never(candidate, name):
        raise MemoryError

    study = Study.open(tmp_path, config(sampler="random"))
    study.run(Arithmetic(trouble=lambda c, n: never(c, n) if n == "acc" else None), Stop(trials=9))
    assert write_outputs(study) is None
    assert loaded(study, "front.json")["front"] == []
    assert len(rows(tmp_path / "front.csv")) == 0
    assert len(rows(tmp_path / "trials.csv")) == 3


@given(st.text())
def test_no_reason_becomes_a_formula_or_breaks_the_table(reason):
    record = Record(number=0, candidate="fp", key="k", state="failed", reason=reason)
    (row,) = list(csv.DictReader(io.StringIO(trials_csv([record], ["acc"], {}), newline="")))
    assert row["reason"].removeprefix("'") == line(reason).removeprefix("'")
    assert row["candidate"] == "fp"
    assert not row["reason"].startswith(("=", "+", "-", "@"))


def test_a_table_without_records_has_its_header():
    header = "number,candidate,origin,runs,acc,acc_se,pgd_naive,gap,verdict,rules,front_probability\n"
    assert front_csv([], ["acc"], {}) == header


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_text(path, "old")

    def refuse(handle):
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="the disk is gone"):
        write_text(path, "half")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_name_that_is_no_text_is_written_as_an_escape_that_json_reads_back(tmp_path):
    name = "é caf\udce9"  # of bytes that are no UTF-8
    path = write_text(tmp_path / "a.json", json.dumps({"name": name}, ensure_ascii=False))
    assert "é caf\\udce9" in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == {"name": name}


def test_a_folder_that_cannot_be_written_is_named(study):
    class Elsewhere:
        """The same study, in a place where nothing can be written."""

        folder = Path("/proc/none")

        def __getattr__(self, name):
            return getattr(study, name)

    with pytest.raises(UserError, match=r"output folder: got '/proc/none'; expected a folder that can be written"):
        write_outputs(Elsewhere())
