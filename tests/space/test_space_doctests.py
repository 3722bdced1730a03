import doctest
import importlib
import pkgutil

import pytest

import space

MODULES = sorted(f"space.{module.name}" for module in pkgutil.iter_modules(space.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    examples = [test.examples for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert sum(map(len, examples)) >= 10


def test_public_names_are_all_there_and_documented():
    wanted = {"Candidate", "Member", "MuLaw", "Precision", "SearchSpace", "UserError", "UnknownName", "OutOfSpace"}
    wanted |= {"AnyPrecision", "Staged", "read_precision", "Encoding", "Conditional", "Flat"}
    assert wanted | {"load_space", "PRESETS", "RECIPES"} == set(space.__all__)
    assert all(getattr(space, name).__doc__ for name in space.__all__)
