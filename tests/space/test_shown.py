"""Texts that people paste can't steer a terminal, run in a spreadsheet or tell a password."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from space.shown import cell, csv_text, line, masked, printable, without_secrets

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202eevil",
    "\u2066a\u2069",
    "a\rb",
    "a\nb",
    "\x00",
    "\u200b",
    "\ufeff",
    "\x7f",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_steers_a_terminal_is_left(text):
    for shown in (line(text), printable(text)):
        assert shown.isprintable()
        assert not {*shown} & {"\x1b", "\x9b", "\u202e", "\u2066", "\x07"}


@given(st.text())
def test_any_text_is_one_printable_line(text):
    assert line(text).isprintable()
    assert line(line(text)) == line(text)


def test_what_is_printable_stays():
    assert printable("  ε = 8/255,  ± 0.1 – «naïve»") == "  ε = 8/255,  ± 0.1 – «naïve»"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+cmd|'/C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n@x", "＝1", "=1\x00"]
)
def test_no_cell_is_a_formula(text):
    [[shown]] = csv.reader(io.StringIO(csv_text([text], [])))
    assert shown.startswith("'")


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False)), min_size=1))
def test_a_table_keeps_its_rows_and_cells(row):
    rows = [*csv.reader(io.StringIO(csv_text(["a"] * len(row), [row])))]
    assert [len(one) for one in rows] == [len(row)] * 2
    assert rows[1] == [str(cell(one)) for one in row]


def test_numbers_may_be_negative():
    assert csv_text(["x"], [[-1.5]]) == "x\n-1.5\n"


passwords = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\"\\"), min_size=4)


@given(passwords, st.sampled_from(["postgresql", "postgresql+psycopg", "mysql", "s3", "ray", "redis"]))
def test_no_password_is_told(password, scheme):
    url = f"{scheme}://me:{password}@host:5432/name"
    assert f":{password}@" not in masked(f"no answer from {url}")
    assert masked(f"no answer from {url}").endswith("me:***@host:5432/name")
    assert password not in without_secrets(f"{password} is wrong, said {url}", url).replace("postgresql", "")


@pytest.mark.parametrize("name", ["password", "sslpassword", "PASSWORD", "passwd", "pwd", "api_token", "aws_secret"])
def test_passwords_among_the_parameters_are_not_told_either(name):
    assert masked(f"postgresql://h/x?user=me&{name}=hunter2&b=1") == f"postgresql://h/x?user=me&{name}=***&b=1"


@pytest.mark.parametrize(
    "text", ["sqlite:///x.db", "postgresql://host:5432/x", "s3://bucket/a:b", "at 10:30, see a@b", "http://[::1]:80/"]
)
def test_what_holds_no_password_stays(text):
    assert masked(text) == text
