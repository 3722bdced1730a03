"""Users' scripts are checked against this project's types: without the marker, mypy takes every name for Any."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("space", "evaluators", "studies", "search")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_that_it_has_types(package):
    assert (files(package) / "py.typed").is_file()


def test_the_marker_is_installed_with_them():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert built["package-data"]["*"] == ["py.typed"]
