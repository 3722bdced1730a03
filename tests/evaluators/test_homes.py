"""A path at the home of nobody is one line, wherever it is named."""

from pathlib import Path

import pytest

from evaluators.cache import default_root
from evaluators.data.public import read_public
from evaluators.homes import expanded
from space.errors import UserError

NOBODY = "~nobody-at-all/x"


def test_the_users_own_home(monkeypatch):
    monkeypatch.setenv("HOME", "/here")
    assert expanded(Path("~/x")) == Path("/here/x")
    assert expanded(Path("x/~y")) == Path("x/~y")


def test_the_folder_of_public_sets():
    with pytest.raises(UserError, match=f"unknown home: got '{NOBODY}'; hint: write the whole path"):
        read_public("mnist", Path(NOBODY), download=False)


@pytest.mark.parametrize(
    ("name", "hint"), [("BITFRONT_CACHE", "write the whole path"), ("XDG_CACHE_HOME", "set HOME, or BITFRONT_CACHE")]
)
def test_the_cache(name, hint, monkeypatch):
    monkeypatch.delenv("BITFRONT_CACHE", raising=False)
    monkeypatch.setenv(name, NOBODY)
    with pytest.raises(UserError, match=f"unknown home: got '{NOBODY}'; hint: {hint}"):
        default_root()
