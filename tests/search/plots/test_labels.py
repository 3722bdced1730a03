from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from search.plots.labels import Box, Label, Obstacle, distance, place

PANEL = Box(0, 0, 720, 670)
coordinates = st.tuples(st.floats(0, 720), st.floats(0, 670))


@given(st.lists(coordinates, min_size=1, max_size=12))
def test_labels_never_collide_and_stay_inside(anchors: list[tuple[float, float]]) -> None:
    labels = [Label(anchor=anchor, size=(34, 22), gap=12) for anchor in anchors]
    boxes = place(labels, [], PANEL)
    assert all(one.overlap(other) == 0 for one, other in combinations(boxes, 2))
    assert all(PANEL.holds(box) for box in boxes)


@given(coordinates)
def test_twelve_labels_of_one_spot_never_collide(anchor: tuple[float, float]) -> None:
    boxes = place([Label(anchor=anchor, size=(34, 22), gap=12)] * 12, [], PANEL)
    assert all(one.overlap(other) == 0 for one, other in combinations(boxes, 2))


def test_a_lonely_label_stays_beside_its_point() -> None:
    [box] = place([Label(anchor=(300, 300), size=(20, 10), gap=8)], [], PANEL)
    assert 0 < distance((300, 300), box) <= 12


def test_a_label_leaves_room_for_an_obstacle() -> None:
    label = Label(anchor=(300, 300), size=(20, 10), gap=8)
    [free] = place([label], [], PANEL)
    [moved] = place([label], [Obstacle(free, 8.0)], PANEL)
    assert moved.overlap(free) == 0


def test_placing_is_deterministic() -> None:
    labels = [Label(anchor=(10.0 * i, 5.0 * i), size=(30, 20), gap=9) for i in range(12)]
    assert place(labels, [], PANEL) == place(labels, [], PANEL)
