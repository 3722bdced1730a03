"""Every bad input of the corpus is answered in one line, and never by a traceback, a wait or a file."""

import json
import tempfile
from pathlib import Path

import pytest
from corpus import ANSWERS, answer, commands, name_of, scene

KNOWN = json.loads(ANSWERS.read_text(encoding="utf-8"))
WORDS = {name_of(words): words for words in commands()}


@pytest.fixture(scope="module", autouse=True)
def corpus():
    """The corpus's files in a folder of their own; what is planted in them would leave a file there."""
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)):
        before = {*Path().rglob("*")}
        yield
        made = {str(path) for path in {*Path().rglob("*")} - before if path.parts[0] != "cache"}
        assert not made


def test_the_corpus_is_large_and_each_of_its_inputs_has_an_answer():
    assert len(WORDS) == len(commands()) >= 200
    assert WORDS.keys() == KNOWN.keys()


@pytest.mark.parametrize("name", WORDS)
def test_a_bad_input_is_answered_in_one_line(name):
    status, out, err = answer(WORDS[name])
    assert (status, out) == (2, ""), err or status
    assert err == f"bitfront: error: {KNOWN[name]}\n"
    assert err[:-1].isprintable()


@pytest.mark.parametrize("name", WORDS)
def test_an_answer_is_short_and_says_what_is_wrong(name):
    told = KNOWN[name]
    assert 20 <= len(told) <= 700
    parts = ("Traceback", "secret", "sec@ret", "'ret@", "@ret@", " object at 0x")
    assert not [part for part in parts if part in told]
