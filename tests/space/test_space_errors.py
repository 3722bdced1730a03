from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from space import UnknownName, UserError


def test_the_line_has_what_was_got_expected_and_a_hint():
    error = UserError("width out of range", got=9, expected="0.125 to 8", hint="1 is the full width")
    assert str(error) == "width out of range: got 9; expected 0.125 to 8; hint: 1 is the full width"
    assert str(UserError("no front", expected="a finished study")) == "no front; expected a finished study"


def test_unknown_names_suggest_the_nearest():
    line = "unknown fruit: got 'aple'; expected one of apple, pear; hint: did you mean 'apple'?"
    assert str(UnknownName("fruit", "aple", ["pear", "apple"])) == line
    assert str(UnknownName("fruit", 7, ["pear"])) == "unknown fruit: got 7; expected one of pear"


@given(st.text() | st.binary() | st.text(min_size=1).filter(lambda text: "\0" not in text).map(Path) | st.integers())
def test_whatever_was_pasted_is_one_short_printable_line(value):
    line = str(UserError("name", got=value))
    assert line.isprintable() and len(line) <= len("name: got ") + 80


def test_control_characters_never_reach_the_terminal():
    assert "\x1b" not in str(UserError("file", got=Path("a\x1b[31mb")))
    assert str(UserError("number", got=10**5000)) == "number: got a number too long to show"
