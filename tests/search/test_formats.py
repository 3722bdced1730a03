import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.base import Measurement
from search import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (148897792, "1.49e8"),
        (0, "0"),
        (1, "1.00e0"),
        (9.999e7, "1.00e8"),
        (2.5e-3, "2.50e-3"),
        (-2e5, "-2.00e5"),
    ],
)
def test_numbers_read_as_in_the_papers(value: float, text: str) -> None:
    assert formats.scientific(value) == text


@given(st.floats(1e-30, 1e30))
def test_three_digits_survive(value: float) -> None:
    assert float(formats.scientific(value)) == pytest.approx(value, rel=5e-3)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (999_949, "999.9 kB"), (999_999, "1.0 MB"), (2.5e9, "2.5 GB")],
)
def test_bytes_have_a_prefix(count: float, text: str) -> None:
    assert formats.size(count) == text


def test_measurements_show_their_error_where_they_have_one() -> None:
    assert formats.measured(Measurement.fraction(320, 400)) == "80.0 ± 2.0 %"
    assert formats.measured(Measurement.fraction(400, 400)) == "100.0 ± 0.0 %"
    assert formats.bounded(Measurement.fraction(40, 100)) == "40.0 % [30.9, 49.8]"
    assert formats.bounded(Measurement.fraction(400, 400)) == "100.0 % [99.0, 100.0]"
    assert formats.bounded(Measurement(value=1.49e8, unit="bit-ops")) == "1.49e8"
    assert formats.measured(Measurement(value=1.49e8, unit="bit-ops")) == "1.49e8"
    assert formats.measured(Measurement(value=1536, unit="bytes")) == "1.5 kB"
    assert formats.number(0.5, "fraction") == "50.0 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3, "0s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (245, "4m05s"),
        (3599, "59m59s"),
        (3599.6, "1h00m"),
        (7620, "2h07m"),
    ],
)
def test_durations_read_at_a_glance(seconds: float, text: str) -> None:
    assert formats.clock(seconds) == text


@pytest.mark.parametrize(
    ("epsilon", "text"),
    [
        (8 / 255, "8/255"),
        (1 / 255, "1/255"),
        (0.2, "0.2"),
        (51 / 255, "0.2"),
        (0.031, "0.031"),
        (0.031373, "0.031373"),  # nearly 8/255, and another radius
        (0.5 / 255, "0.00196078"),
        (0, "0"),
    ],
)
def test_a_radius_is_written_in_grey_levels_where_it_is_so_many_of_them(epsilon: float, text: str) -> None:
    assert formats.radius(epsilon) == text


def test_shares_of_chance_and_differences_are_empty_where_there_are_none() -> None:
    assert [formats.probability(one) for one in (None, 0.0, 0.934, 1.0)] == ["", "0.00", "0.93", "1.00"]
    assert [formats.points(one) for one in (None, 0.0, 0.042, -0.5)] == ["", "0.0", "4.2", "-50.0"]
    assert formats.interval(Measurement.fraction(40, 100)) == "30.9 to 49.8 %"
    assert formats.interval(Measurement(value=0.5, unit="fraction")) == ""


@pytest.mark.parametrize(
    ("longest", "unit"),
    [(0.0, (1, "seconds")), (179.9, (1, "seconds")), (180.0, (60, "minutes")), (7200.0, (3600, "hours")),
     (172_800.0, (86400, "days"))],
)  # fmt: skip
def test_an_axis_of_time_has_two_or_three_of_its_unit_at_least(longest: float, unit: tuple[int, str]) -> None:
    assert formats.unit_of_time(longest) == unit
