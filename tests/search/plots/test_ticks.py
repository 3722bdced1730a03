import itertools

import pytest

from search.plots.style import add_axes, new_figure
from search.plots.ticks import set_ticks, short


@pytest.mark.parametrize(("value", "text"), [(2e8, "2e8"), (1.5e8, "1.5e8"), (0, "0"), (1.234e7, "1.23e7")])
def test_ticks_are_written_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize("low", [1.0, 9.2e7, 4e11])
@pytest.mark.parametrize("ratio", [1.0, 1.1, 1.7, 3.0, 6.0, 12.0, 90.0, 1e4, 1e9])
def test_labels_of_a_logarithmic_axis_never_collide_and_are_never_missing(low: float, ratio: float) -> None:
    figure = new_figure(3.3, 3.0)
    axes = add_axes(figure, 0.6, 0.6, 2.6, 2.2)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.15, low * ratio * 1.15)
    set_ticks(axes.xaxis, [low, low * ratio], log=True)
    figure.canvas.draw()
    left, right = axes.get_xlim()
    labels = [
        label.get_window_extent()
        for ticks in (axes.xaxis.get_major_ticks(), axes.xaxis.get_minor_ticks())
        for tick in ticks
        if (label := tick.label1).get_text() and left <= tick.get_loc() <= right
    ]
    assert len(labels) >= 2
    boxes = sorted(labels, key=lambda box: box.x0)
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
