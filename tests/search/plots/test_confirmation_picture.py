"""The picture of a confirmed front: arrows from where the search had seen a candidate to where it is."""

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.image import imread

from evaluators.base import Budget, Measurement, Protocol
from evaluators.objectives import find_objectives
from search.plots import draw_confirmation, save
from studies import Confirmation, ConfirmedRow, SeedResult
from studies.terms import Terms


def row(number: int, reason: str = "", flags: tuple[str, ...] = ()) -> ConfirmedRow:
    proxy = {
        "acc": Measurement.fraction(50 + number, 100),
        "pgd": Measurement.fraction(20 + 3 * number, 100),
        "bops": Measurement(value=1e6 * 2**number, unit="bit-ops"),
        "memory": Measurement(value=1e4 * 2**number, unit="bytes"),
    }
    full = proxy | {
        "acc": Measurement.fraction(70 + 2 * number, 100),
        "pgd": replace(Measurement.fraction(10 + 5 * number, 100), flags=flags),
        "pgd_naive": Measurement.fraction(60, 100),
    }
    return ConfirmedRow(
        number=number,
        candidate="xnor",
        proxy=proxy,
        on_front=True,
        proxy_probability=0.5,
        seeds=(),
        measurements=full,
        reason=reason,
    )


@pytest.fixture
def confirmation() -> Confirmation:
    rows = (row(0), row(1), row(2, "beaten by #1"), row(3, "masked: gap", ("masked:gap",)))
    return Confirmation(
        study="mine",
        objectives=("acc", "pgd", "bops"),
        terms=Terms(),
        protocol=Protocol(dataset="mnist5k", checksum="0", network="mnistconv", epsilon=0.2),
        budget=Budget(),
        verification={},
        near=0.16,
        seeds=(1, 2),
        rows=(*rows, replace(row(4), measurements={}, reason="not measured yet")),
        versions={},
    )


@pytest.mark.parametrize(
    ("objectives", "panels"), [("acc,bops", 1), ("acc,pgd,bops", 3), ("acc,pgd,bops,memory", 6), ("acc,pgd", 1)]
)
def test_it_has_a_panel_per_pair_of_objectives(
    confirmation: Confirmation, tmp_path: Path, objectives: str, panels: int
) -> None:
    figure = draw_confirmation(confirmation, find_objectives(objectives.split(",")), "mnist5k")
    assert len([axes for axes in figure.axes if axes.get_xlabel()]) == panels
    save(figure, tmp_path / "confirmed.png")
    assert (imread(tmp_path / "confirmed.png") < 0.5).any()


def test_every_measured_row_has_an_arrow_a_mark_and_its_number(confirmation: Confirmation) -> None:
    figure = draw_confirmation(confirmation, find_objectives(("bops", "pgd")), "mnist5k")
    [axes] = figure.axes
    measured = [one for one in confirmation.rows if one.measurements]
    spots = {
        (float(line.get_xdata()[0]), round(float(line.get_ydata()[0]), 6)): line
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }
    for one in measured:
        end = spots[one.measurements["bops"].value, round(100 * one.measurements["pgd"].value, 6)]
        start = spots[one.proxy["bops"].value, round(100 * one.proxy["pgd"].value, 6)]
        assert start.get_markerfacecolor() == "white"
        assert (end.get_markerfacecolor() == "white") == (one.verdict == "masked")
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == len(measured)
    written = {text.get_text() for text in axes.texts} - {""}
    assert written == {str(one.number) for one in measured}
    low, high = axes.get_ylim()
    for one in measured:
        assert low < 100 * one.measurements["pgd"].interval[0]
        assert 100 * one.measurements["pgd"].interval[1] < high


def test_the_legend_names_the_marks_that_are_there(confirmation: Confirmation) -> None:
    def named(some: Confirmation) -> list[str]:
        figure = draw_confirmation(some, find_objectives(("bops", "acc")), "mnist5k")
        return [text.get_text() for text in figure.legends[0].get_texts()]

    usual = ["in the search", "on the confirmed front", "not on it", "hollow: masked", "95 %: images alone"]
    assert named(confirmation) == usual
    assert named(replace(confirmation, rows=confirmation.rows[:2])) == [usual[0], usual[1], usual[4]]


@pytest.mark.parametrize(("seeds", "said"), [(1, "95 %: images alone"), (2, "95 %: images and seeds")])
def test_the_legend_says_what_the_bars_are_of(confirmation: Confirmation, seeds: int, said: str) -> None:
    results = tuple(SeedResult(seed=seed, measurements={}) for seed in range(seeds))
    rows = tuple(replace(one, seeds=results) for one in confirmation.rows)
    figure = draw_confirmation(replace(confirmation, rows=rows), find_objectives(("bops", "pgd")), "mnist5k")
    assert figure.legends[0].get_texts()[-1].get_text() == said
