import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from search.plots import Growth, Scene, draw_front, draw_history, save
from search.plots.style import DPI, ENSEMBLE, SINGLE

Make = Callable[..., Scene]


def share(picture: np.ndarray, color: str) -> float:
    """Share of the pixels that have this colour."""
    return float((np.abs(picture[..., :3] - to_rgb(color)).max(axis=-1) < 0.02).mean())


@pytest.mark.parametrize(
    ("objectives", "panels"),
    [("acc,bops", 1), ("acc,pgd,bops", 3), ("acc,pgd,bops,memory", 6), ("acc,pgd", 1)],
)
def test_a_front_has_a_panel_per_pair_of_objectives(scene: Make, tmp_path: Path, objectives: str, panels: int) -> None:
    figure = draw_front(scene(objectives))
    named = [axes for axes in figure.axes if axes.get_xlabel()]
    assert len(named) == panels
    save(figure, tmp_path / "front.png")
    picture = imread(tmp_path / "front.png")
    assert picture.shape[:2] == tuple(int(inches * DPI) for inches in reversed(figure.get_size_inches()))
    assert share(picture, SINGLE["color"]) > 1e-4
    assert share(picture, ENSEMBLE["color"]) > 1e-4
    assert 0.5 < share(picture, "white") < 0.98


def test_costs_have_logarithmic_axes_and_accuracies_do_not(scene: Make) -> None:
    figure = draw_front(scene("acc,pgd,bops"))
    scales = [(axes.get_xscale(), axes.get_yscale()) for axes in figure.axes if axes.get_xlabel()]
    assert scales == [("log", "linear"), ("log", "linear"), ("linear", "linear")]


def test_every_numbered_candidate_is_in_the_table_below(scene: Make) -> None:
    made = scene(count=24)
    texts = [text.get_text() for axes in draw_front(made).axes for text in axes.texts]
    for point in made.numbered:
        assert point.candidate in texts
        assert str(point.number) in texts
    assert texts.count("4 selected") == 3


def test_single_and_ensemble_differ_by_marker_and_by_grey() -> None:
    assert SINGLE["marker"] != ENSEMBLE["marker"]
    greys = [float(np.dot(to_rgb(look["color"]), (0.299, 0.587, 0.114))) for look in (SINGLE, ENSEMBLE)]
    assert abs(greys[0] - greys[1]) > 0.25


@pytest.mark.parametrize(("count", "chosen"), [(0, None), (1, 0), (2, None)])
def test_a_study_of_hardly_any_records_can_be_drawn(
    scene: Make, tmp_path: Path, count: int, chosen: int | None
) -> None:
    save(draw_front(scene(count=count, chosen=chosen)), tmp_path / "front.png")
    assert (imread(tmp_path / "front.png") < 0.5).any()


@pytest.mark.parametrize("count", [0, 3])
def test_panels_without_a_point_say_so(scene: Make, count: int) -> None:
    panels = [axes for axes in draw_front(scene(count=count, chosen=None)).axes if axes.get_xlabel()]
    said = ["no candidate was measured completely" in [text.get_text() for text in axes.texts] for axes in panels]
    assert said == [count == 0] * 3


@pytest.mark.parametrize(("confirmed", "label"), [(False, "selected"), (True, "selected, by confirmed values")])
def test_the_legend_says_by_what_was_selected(scene: Make, confirmed: bool, label: str) -> None:
    legend = draw_front(replace(scene(), confirmed=confirmed)).legends[0]
    assert label in [text.get_text() for text in legend.get_texts()]


def test_one_objective_is_no_plane(scene: Make) -> None:
    with pytest.raises(ValueError, match="fewer than two objectives"):
        draw_front(scene("acc"))


def test_a_picture_is_replaced_whole(scene: Make, tmp_path: Path) -> None:
    path = tmp_path / "front.png"
    path.write_bytes(b"old")
    save(draw_front(scene(count=4)), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [entry.name for entry in tmp_path.iterdir()] == ["front.png"]


@pytest.mark.parametrize(("last", "unit"), [(100, "seconds"), (240, "minutes"), (9000, "hours"), (10 * 86400, "days")])
def test_history_counts_time_in_a_fitting_unit(last: float, unit: str) -> None:
    trace = [(last / 3, 0.2), (last / 2, 0.2), (last, 0.5)]
    axes = draw_history(Growth(title="t", trace=trace)).axes[0]
    assert axes.get_xlabel() == f"running time ({unit})"
    drawn = sum(len(line.get_xdata()) for line in axes.lines if line.get_linestyle() == "None")
    assert drawn == 3


def test_where_the_front_grew_is_not_hidden_by_the_many_trials_beside_it() -> None:
    trace = [(second / 100, 0.5 if second < 500 else 0.501) for second in range(1, 1000)]
    axes = draw_history(Growth(title="t", trace=trace)).axes[0]
    grew, others = (
        [line for line in axes.lines if line.get_label() == label] for label in ("the front grew", "it did not")
    )
    assert min(line.get_zorder() for line in grew) > max(line.get_zorder() for line in others)


@pytest.mark.parametrize("trace", [[], [(0.0, 0.0)], [(1.0, 0.25), (2.0, 0.25), (5.0, 0.75)]])
def test_any_history_can_be_drawn(tmp_path: Path, trace: list[tuple[float, float]]) -> None:
    save(draw_history(Growth(title="a study", trace=trace)), tmp_path / "history.png")
    picture = imread(tmp_path / "history.png")
    assert picture.shape[:2] == (660, 1120)
    assert (picture < 0.5).any()


def test_pyplot_stays_out() -> None:
    code = (
        "import sys; from search.plots import *; draw_history(Growth(title='', trace=[]));"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
