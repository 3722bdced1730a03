"""Pictures and summaries of diagnostics, from tables alone."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from evaluators import DIAGNOSTICS
from evaluators.diagnostics.table import Table
from search.plots import draw_diagnostic, save
from search.tables.summaries import summary_of

LAYERS = ["0", *(f"{stage}.conv{one}" for stage in range(2, 29) for one in (1, 2)), "32"]
LONG = ":".join(["+".join(["dorefa4-2"] * 9), "majority", "mu255@3 on cifar100, resnet56, ε = 8/255 (discretised)"])


def made(name: str, members: int = 1, layers: int = 4, classes: int = 10) -> Table:
    """A table with the columns of the diagnostic and values of any size, zeros among them."""
    places, pairs = LAYERS[:layers], list(product(range(classes), repeat=2))
    numbered, radii, steps = range(1, members + 1), [0.05 * i for i in range(9)], [0, 1, 2, 5, 10]
    rows: dict[str, list[tuple[object, ...]]] = {
        "lipschitz": [(m, place, "conv", 0.3 * i * m, 4.0 * i) for m in numbered for i, place in enumerate(places)],
        "activations": [(m, e, 900 - 300 * e * m, 12.0, 800 * e, 9.0) for m in numbered for e in radii],
        "confusion": [(a, true, p, 7 * (true == p) + (p == 3)) for a in ("clean", "pgd") for true, p in pairs],
        "epsilon": [(a, e, 90, 100, 0.9 - e, 0.8 - e, 0.95 - e) for a in ("fgsm", "pgd", "uniform") for e in radii],
        "steps": [
            (a, a * 0.2, s, 9, 10, 0.9 - a * s / 20, 0.1, 0.9, int(a == 0.5)) for a in (0.05, 0.25, 0.5) for s in steps
        ],
        "gradients": [
            (m, place, 10.0 ** -(4 * i), 0.1 * m, 0.0) for m in numbered for i, place in enumerate(["image", *places])
        ],
    }
    return Table(name=name, columns=DIAGNOSTICS[name].columns, rows=tuple(rows[name]))  # type: ignore[arg-type]


def texts_beyond(figure: Figure) -> list[str]:
    """What is written outside the picture."""
    figure.draw_without_rendering()
    frame = figure.bbox
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    ticks = [label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _shown(axis)]
    labels = [one for axes in figure.axes for one in (axes.xaxis.label, axes.yaxis.label, axes.title, *axes.texts)]
    boxes = {text.get_text(): text.get_window_extent() for text in [*figure.texts, *legends, *ticks, *labels]}
    outside = (
        text
        for text, box in boxes.items()
        if text and (box.x0 < 0 or box.y0 < 0 or box.x1 > frame.x1 or box.y1 > frame.y1)
    )
    return list(outside)


def _shown(axis: Axis) -> list[Text]:
    """The tick labels within the limits of an axis; matplotlib keeps some beyond."""
    low, high = axis.get_view_interval()
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


@pytest.mark.parametrize(("members", "layers"), [(1, 4), (3, 20), (9, 56)])
@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_every_table_has_a_picture_that_holds_all_its_words(
    tmp_path: Path, name: str, members: int, layers: int
) -> None:
    figure = draw_diagnostic(made(name, members, layers), DIAGNOSTICS[name].label, LONG if members > 1 else "fp")
    assert texts_beyond(figure) == []
    save(figure, tmp_path / "one.png")
    picture = imread(tmp_path / "one.png")
    assert (picture < 0.5).any()
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]


@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_labels_of_an_axis_do_not_meet(name: str) -> None:
    figure = draw_diagnostic(made(name, 2, 56), "title", "subject")
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in _shown(axes.xaxis) if label.get_text()]
        assert all(one.x1 <= other.x0 + 1 for one, other in pairwise(boxes))


def test_an_error_of_zero_is_drawn_on_the_floor_and_called_zero() -> None:
    columns = DIAGNOSTICS["lipschitz"].columns
    table = Table(name="lipschitz", columns=columns, rows=((1, "0", "conv", 0.0, 0.0), (1, "2", "linear", 0.5, 3.0)))
    [axes] = draw_diagnostic(table, "title", "subject").axes
    floor, top = axes.get_ylim()
    marks = [value for line in axes.lines for value in line.get_ydata() if line.get_linestyle() == "None"]
    assert marks == [floor, 0.5, floor, 3.0]
    assert top > 3
    assert "0" in [text.get_text() for text in axes.texts]
    assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"] == [1.0]


def test_classes_without_number_are_shown_by_colour_alone() -> None:
    few, many = (draw_diagnostic(made("confusion", classes=n), "title", "subject").axes for n in (10, 100))
    assert [text.get_text() for text in few[0].texts].count("7") == 9
    assert len(many[0].texts) == 0
    assert few[0].get_title() == "clean: 88.8 % right"


def test_curves_are_the_tables_values() -> None:
    table = made("steps")
    [axes] = draw_diagnostic(table, "title", "subject").axes
    curves = [list(container.lines[0].get_ydata()) for container in axes.containers]
    expected = [[100 * y for y in table.where(alpha=a).numbers("accuracy")] for a in (0.05, 0.25, 0.5)]
    assert curves == expected
    labels = axes.get_legend_handles_labels()[1]
    assert [label.endswith("(worst)") for label in labels] == [False, False, True]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lipschitz", "largest ‖ΔW‖₂ 1.8 (layer 3.conv1 of member 2), largest ‖ΔW‖_∞ 12 (layer 3.conv1 of member 1); "
         "‖ΔW‖₂ above 1 in 2 of 8 layers"),
        ("activations", "L1 norm at ε = 0.4: member 1: 900 clean, 780 (moved by 320); "
         "member 2: 900 clean, 660 (moved by 320)"),
        ("confusion", "clean: 88.8 % right, most often 0 taken for 3 (1); pgd: 88.8 % right, "
         "most often 0 taken for 3 (1)"),
        ("epsilon", "at ε = 0, 0.2, 0.4: fgsm 90.0 % → 70.0 % → 50.0 %; pgd 90.0 % → 70.0 % → 50.0 %; "
         "uniform 90.0 % → 70.0 % → 50.0 %"),
        ("steps", "after 10 steps: α = 0.05 ε: 87.5 %, α = 0.25 ε: 77.5 %, α = 0.5 ε: 65.0 % (worst)"),
        ("gradients", "gradient at the image, member 1: mean 1.00e+00, all zero for 0.0 % of the images; "
         "member 2: mean 1.00e+00, all zero for 0.0 % of the images"),
    ],
)  # fmt: skip
def test_summaries(name: str, said: str) -> None:
    assert summary_of(made(name, members=2)) == said


def test_a_single_radius_is_summed_up_too() -> None:
    table = made("epsilon").where(epsilon=0.0)
    assert summary_of(table) == "at ε = 0, 0, 0: fgsm 90.0 %; pgd 90.0 %; uniform 90.0 %"
    assert summary_of(made("activations").where(epsilon=0.0)) == "L1 norm at ε = 0: member 1: 900 clean"


@pytest.mark.parametrize("radii", [1, 2, 3, 5, 8, 9])
def test_the_accuracies_are_those_at_the_radii_that_are_named(radii: int) -> None:
    """Radii beyond 1 fall together, so that there may be any number of them."""
    rows = tuple(("pgd", place / 10, 0, 100, 1 - place / 10, 0.0, 1.0) for place in range(radii))
    said = summary_of(Table(name="epsilon", columns=DIAGNOSTICS["epsilon"].columns, rows=rows))
    named, found = said.removeprefix("at ε = ").split(": pgd ")
    shown = {100 - 10 * 10 * float(radius) for radius in named.split(", ")}
    assert {float(text.removesuffix(" %")) for text in found.split(" → ")} == shown


def test_full_precision_is_said_to_have_no_error() -> None:
    columns = DIAGNOSTICS["lipschitz"].columns
    table = Table(name="lipschitz", columns=columns, rows=((1, "0", "conv", 0.0, 0.0),))
    assert summary_of(table) == "no layer has a quantization error"


def test_bars_of_means_are_inside_their_panel() -> None:
    """Few images have wide intervals, which no axis cuts."""
    rows = ((1, 0.0, 900.0, 200.0, 0.0, 0.0), (1, 0.1, 850.0, 210.0, 300.0, 90.0))
    figure = draw_diagnostic(
        Table(name="activations", columns=DIAGNOSTICS["activations"].columns, rows=rows), "title", "fp"
    )
    for axes in figure.axes:
        tops = [segment[:, 1].max() for one in axes.collections for segment in one.get_segments()]
        assert 0 < max(tops) <= axes.get_ylim()[1]
