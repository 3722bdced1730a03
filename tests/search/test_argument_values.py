import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import values
from space.errors import UserError


@given(st.integers(0, 255))
def test_a_ratio_of_grey_levels_is_that_number(levels: int) -> None:
    assert values.epsilon(f"{levels}/255") == levels / 255


@pytest.mark.parametrize(("text", "value"), [("0.2", 0.2), (".2", 0.2), ("0", 0.0), ("1", 1.0), ("2e-1", 0.2)])
def test_a_decimal_epsilon_is_itself(text: str, value: float) -> None:
    assert values.epsilon(text) == value


@pytest.mark.parametrize("text", ["", "x", "8/0", "8/", "/255", "nan", "1.01", "-0.1", "300/255", "inf", "8//255"])
def test_an_impossible_epsilon_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^--epsilon: got .*write 8/255 for 8 grey levels"):
        values.epsilon(text)


def test_step_sizes_are_decimals_or_ratios() -> None:
    assert values.alphas("0.05, 1/4,5e-1") == (0.05, 0.25, 0.5)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["", "x", "0.1,", "1/0", "nan", "1e999999999", "1e-999999999", "0.1,-1e999999999"])
def test_impossible_step_sizes_are_refused_at_once(text: str) -> None:
    with pytest.raises(UserError, match=r"^--alphas: got .*e\.g\. --alphas 0\.05,0\.25,0\.5"):
        values.alphas(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600), ("1.5h", 5400), ("2d", 172800)]
)
def test_times_are_read_in_their_unit(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "5x", "m", "1h30", "1e3", "٣٫m", "9" * 400])
def test_an_impossible_time_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^--time: got .*expected a time longer than 0"):
        values.duration(text)


def test_objectives_keep_their_order() -> None:
    assert values.objectives("pgd, acc,bops") == ("pgd", "acc", "bops")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names joined by commas"),
        ("acc,,pgd", "names joined by commas"),
        ("acc,acc", "each name once"),
        ("acc,pdg", "did you mean 'pgd'?"),
    ],
)
def test_impossible_objectives_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        values.objectives(text)
    assert message in str(refusal.value)


@pytest.mark.parametrize("text", ["auto", "cpu", "cuda", "cuda:1"])
def test_devices_of_a_known_form_pass(text: str) -> None:
    assert values.device(text) == text


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "", "CPU", "cpu\n"])
def test_other_devices_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"unknown device: got .*expected auto, cpu, cuda or cuda:N"):
        values.device(text)


def test_a_threat_model_nearby_is_suggested() -> None:
    assert values.threat("discretised") == "discretised"
    with pytest.raises(UserError, match="did you mean 'discretised'"):
        values.threat("discretized")


@pytest.mark.parametrize("text", ["x", "1.5", "", "1e3"])
def test_what_is_no_whole_number_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(UserError, match=f"--steps: got {text!r}; expected a whole number"):
        values.whole("--steps")(text)
