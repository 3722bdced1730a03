"""The published figures are well-formed, and every row can be built."""

import subprocess
import sys

import pytest

from evaluators.networks.catalogue import NETWORKS
from space import Candidate, UnknownName
from studies.papers.catalogue import GROUPS, TABLES, choose_rows, find_tables
from studies.papers.scales import SCALES, SHORT, UNCAPPED, find_scale
from studies.papers.setup import file_name
from studies.papers.table import DATASETS, figures

SPOT = {
    ("A1", "3b", "clean"): 86.64,
    ("A2", "BNN-2b", "FGSM 0.3"): 62.3,
    ("A2", "Full-8b", "FGSM 0.3"): 26.4,
    ("A3", "R-FGSM-8b", "FGSM 0.2"): 74.5,
    ("A4", "BNN-2b", "FGSM 32"): 36.7,
    ("A4", "Full-8b", "clean"): 86.5,
    ("A5", "R-FGSM-2b", "FGSM 32"): 43.9,
    ("B2", "Full precision", "BOPS"): 25.95,
    ("B2", "AMC channels 50 %", "PGD-50"): 0.62,
    ("B2", "MBN 7×1", "PGD-20"): 14.29,
    ("B2", "MBN 5×5", "clean"): 90.86,
    ("B3", "MBN 3×3", "PGD-20"): 52.02,
    ("C1", "Orig.", "PGD"): 4.38,
    ("C1", "F.L.+mu (Q)", "clean"): 98.93,
    ("C3", "Adv. (Q)", "BIM"): 18.2,
    ("C3", "F.L.+mu (Q)", "MIM"): 90.8,
    ("D2-mnist", "EMPIR as published", "CW"): 89.44,
    ("D2-mnist", "FGSM training", "FGSM"): 76.56,
    ("D2-cifar", "EMPIR as published", "PGD"): 13.34,
}
"""Figures read from the papers' tables once more, one by one."""

COUNTS = {"A1": 4, "A2": 24, "A3": 8, "A4": 24, "A5": 8, "A6": 0, "B2": 60, "B3": 16, "C1": 10, "C2": 0, "C3": 56}
COUNTS |= {"C4": 0, "D2-mnist": 5 + 5 + 3 + 5 + 3 + 15, "D2-cifar": 5 + 5 + 3}
"""How many figures each table has."""


@pytest.mark.parametrize(("place", "figure"), SPOT.items())
def test_figures_are_the_printed_ones(place, figure):
    table, name, column = place
    [row] = [row for row in TABLES[table].rows if row.name == name]
    assert row.figures[column] == figure


@pytest.mark.parametrize("name", TABLES)
def test_no_figure_is_missing_or_too_many(name):
    assert sum(len(row.figures) for row in TABLES[name].rows) == COUNTS[name]


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_table_is_well_formed(table):
    names = [column.name for column in table.columns]
    theirs = {column.name for column in table.columns if not column.ours}
    assert len(set(names)) == len(names)
    assert len({file_name(row.name) for row in table.rows}) == len(table.rows)
    assert table.network in NETWORKS and table.dataset in DATASETS and table.epochs > 0
    assert NETWORKS[table.network].shape == DATASETS[table.dataset].shape
    for row in table.rows:
        assert row.figures.keys() <= theirs
        assert row.sources.keys() <= {column.name for column in table.columns if column.attack}
        assert all(0 <= figure <= 100 for figure in row.figures.values())
        for text in (row.candidate, *row.sources.values()):
            assert str(Candidate.parse(text)) == text


def test_clean_accuracy_is_never_below_an_attacked_one_but_for_noise():
    """A slip of a column would show; quantised rows of song.py are erratic and left out."""
    for table in TABLES.values():
        for row in table.rows:
            if "clean" in row.figures and "(Q)" not in row.name:
                attacked = [figure for name, figure in row.figures.items() if name not in ("clean", "BOPS")]
                assert row.figures["clean"] >= max(attacked, default=0.0), (table.name, row.name)


def test_panda_attacks_behind_the_discretizer_and_ours_before_it():
    for name in ("A2", "A3", "A4", "A5", "A6"):
        attacked = [column for column in TABLES[name].columns if column.attack]
        assert [column.attack.threat for column in attacked] == ["discretised"] * 3 + ["raw"] * 4
        assert [column.ours for column in attacked] == [False] * 3 + [True] * 4
        assert len({column.attack.epsilon for column in attacked}) == 3


def test_the_worst_case_is_the_last_column_wherever_a_table_attacks_the_model_itself():
    for name, table in TABLES.items():
        worst = [column for column in table.columns if column.attack and column.attack.name == "worst"]
        if name in ("A1", "C2", "C4"):
            assert not worst, "no attack, or one that is crafted elsewhere"
            continue
        assert worst == [table.columns[-1]] and worst[0].ours and worst[0].attack.threat == "raw"
        radii = {column.attack.epsilon for column in table.columns[:-1] if column.attack}
        assert worst[0].attack.epsilon == min(radii - {0.0})
        assert not any(worst[0].name in (*row.figures, *row.sources) for row in table.rows)
        assert any(note.startswith("worst case (ours)") for note in table.notes)


def test_empir_as_published_is_a_transfer_attack_in_two_columns():
    for name in ("D2-mnist", "D2-cifar"):
        rows = {row.name: row for row in TABLES[name].rows}
        assert rows["EMPIR as published"].sources == {"CW": "fp", "BIM": "fp"}
        assert not rows["EMPIR on the vote"].sources
        assert rows["EMPIR as published"].candidate == rows["EMPIR on the vote"].candidate


def test_black_box_rows_are_the_white_box_ones_with_a_source_for_every_attack():
    for white, black in (("C1", "C2"), ("C3", "C4")):
        pairs = zip(TABLES[white].rows, TABLES[black].rows, strict=True)
        for one, other in pairs:
            assert one.candidate == other.candidate and not one.sources
            assert other.sources.keys() == {column.name for column in TABLES[black].columns if column.attack}
            assert one.candidate not in other.sources.values()


def test_the_cost_model_gives_the_published_bit_operations():
    from evaluators import cost_report

    table = TABLES["B2"]
    for row in table.rows:
        measured = cost_report(Candidate.parse(row.candidate), table.network).total("bops") / 1e8
        known = 3.89 if row.name == "MBN 3×3" else row.figures["BOPS"]
        assert measured == pytest.approx(known, abs=0.005 if "channels" not in row.name else 0.05), row.name


def test_figures_need_one_text_per_column():
    assert figures(("a", "b"), "– 2.5") == {"b": 2.5}
    with pytest.raises(ValueError, match="shorter"):
        figures(("a", "b"), "1")


def test_names_are_found_in_any_case_and_groups_hold_several():
    assert [table.name for table in find_tables("d2")] == ["D2-mnist", "D2-cifar"]
    assert [table.name for table in find_tables("b2")] == ["B2"]
    assert [table.name for table in find_tables("all")] == list(TABLES) == list(GROUPS["all"])
    with pytest.raises(UnknownName, match="did you mean 'D2-mnist'"):
        find_tables("D2-mnits")


def test_rows_are_chosen_by_name_or_candidate():
    both = find_tables("D2")
    assert {name: len(rows) for name, rows in choose_rows(both, ()).items()} == {"D2-mnist": 8, "D2-cifar": 6}
    chosen = choose_rows(both, ["fp:fgsm", "FP"])
    assert [row.name for row in chosen["D2-cifar"]] == ["FP", "FGSM training"]
    assert choose_rows(both, ["EMPIR (members of the code) on the vote"]).keys() == {"D2-mnist"}
    with pytest.raises(UnknownName, match="unknown row: got 'PF'"):
        choose_rows(both, ["PF"])


def test_every_table_has_every_scale():
    assert SHORT.keys() == TABLES.keys()
    for table in TABLES.values():
        scales = {name: find_scale(name, table) for name in SCALES}
        assert [scale.name for scale in scales.values()] == list(SCALES)
        assert scales["paper"].epochs == scales["paper"].images == 0
        assert scales["paper"].width == 1 and scales["paper"].steps == UNCAPPED
        assert scales["short"].time and scales["short"].epochs <= max(12, table.epochs)
        assert f"{table.epochs} epochs, all training images, all test images attacked" in scales["paper"].budget(table)
    assert find_scale("smoke", TABLES["A1"], seeds=4).seeds == 4
    with pytest.raises(UnknownName, match=r"unknown scale: got 'shrot'.*did you mean 'short'"):
        find_scale("shrot", TABLES["A1"])


def test_tables_load_nothing_heavy():
    code = (
        "import sys; from studies import TABLES, find_scale; find_scale('short', TABLES['B2']);"
        "print({'torch', 'optuna', 'matplotlib'} & {*sys.modules})"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"
