from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from search.plots.scene import NUMBERED, Scene, projected_front, staircase

Make = Callable[..., Scene]
values = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)
directions = st.tuples(st.booleans(), st.booleans())


def beats(one: tuple[float, float], other: tuple[float, float], maximize: tuple[bool, bool]) -> bool:
    signed = [(a - b) * (1 if up else -1) for a, b, up in zip(one, other, maximize, strict=True)]
    return min(signed) >= 0 and max(signed) > 0


@given(values, directions)
def test_the_projected_front_is_what_nothing_beats(points: list[tuple[int, int]], maximize: tuple[bool, bool]) -> None:
    expected = {p for p in points if not any(beats(q, p, maximize) for q in points)}
    found = projected_front(points, maximize)
    assert set(found) == expected
    assert found == sorted(expected)


@given(values.filter(bool), directions)
def test_the_staircase_runs_along_the_axes_through_the_front_to_the_rim(
    points: list[tuple[int, int]], maximize: tuple[bool, bool]
) -> None:
    corners = staircase(points, maximize, ((-1, 10), (-1, 10)))
    assert all((x0 == x1) or (y0 == y1) for (x0, y0), (x1, y1) in pairwise(corners))
    assert set(projected_front(points, maximize)) <= set(corners)
    assert {-1, 10} & {*corners[0]} and {-1, 10} & {*corners[-1]}
    inside = [c for c in corners if not {-1, 10} & {*c}]
    assert not any(beats(corner, p, maximize) for corner in inside for p in projected_front(points, maximize))


def test_no_points_have_no_staircase() -> None:
    assert staircase([], (False, True), ((0, 1), (0, 1))) == []


def test_costs_come_first_and_every_pair_has_one_panel(scene: Make) -> None:
    pairs = [(across.name, up.name) for across, up in scene("acc,pgd,bops").pairs]
    assert pairs == [("bops", "acc"), ("bops", "pgd"), ("acc", "pgd")]
    assert len(scene("acc,pgd,fgsm,bops,memory").pairs) == 10


def test_few_points_are_all_numbered(scene: Make) -> None:
    assert [p.number for p in scene(count=9).numbered] == [0, 2, 4, 6, 8]


def test_of_many_points_the_selected_and_the_extremes_are_numbered(scene: Make) -> None:
    crowded = scene(count=80, chosen=30)
    numbers = [p.number for p in crowded.numbered]
    assert len(crowded.front) == 40
    assert len(numbers) == len(set(numbers)) == NUMBERED
    assert {0, 30, 78} <= set(numbers)
    assert numbers == sorted(numbers)


def test_nothing_numbered_without_a_front(scene: Make) -> None:
    assert scene(count=0).numbered == ()
