"""What every diagnostic promises of every kind of model."""

import csv
import io
import math
from functools import cache
from importlib import import_module

import pytest
import torch
from victims import CANDIDATES, digits, same, state_of, victim

from evaluators.diagnostics.catalogue import DIAGNOSTICS, find_diagnostics
from evaluators.diagnostics.subject import Settings, Subject
from evaluators.diagnostics.table import Table
from space.errors import UnknownName

every_diagnostic = pytest.mark.parametrize("name", DIAGNOSTICS)
every_victim = pytest.mark.parametrize("kind", CANDIDATES)
every_threat = pytest.mark.parametrize("threat", ["raw", "discretised"])


def diagnosed(name: str, kind: str, **settings: object) -> Table:
    images, labels = digits()
    chosen = Settings(**{"epsilon": 0.1, "steps": 3, "alphas": (0.25, 0.5), **settings})
    module, function = DIAGNOSTICS[name].function.split(":")
    subject = Subject(model=victim(kind), images=images, labels=labels, settings=chosen)
    return getattr(import_module(module), function)(subject)


@cache
def usual(name: str, kind: str) -> Table:
    return diagnosed(name, kind)


@every_threat
@every_victim
@every_diagnostic
def test_a_table_has_its_columns_and_rows_of_finite_numbers(name, kind, threat):
    found = usual(name, kind) if threat == "raw" else diagnosed(name, kind, threat=threat)
    assert (found.name, found.columns) == (name, DIAGNOSTICS[name].columns)
    assert len(found.rows) > 0
    assert len(set(found.columns)) == len(found.columns)
    for row in found.rows:
        assert len(row) == len(found.columns)
        assert all(isinstance(cell, str | int | float) for cell in row)
        assert all(isinstance(cell, str) or math.isfinite(cell) for cell in row)
    assert [{type(row[i]) for row in found.rows} for i in range(len(found.columns))] == [
        {type(cell)} for cell in found.rows[0]
    ]


@every_victim
@every_diagnostic
def test_the_same_subject_gives_the_same_table_and_stays_as_it_was(name, kind):
    model, (images, labels) = victim(kind), digits()
    expected = usual(name, kind).to_csv()
    before, kept, kept_labels = state_of(model), images.clone(), labels.clone()
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()]
    assert diagnosed(name, kind).to_csv() == expected
    assert all(map(same, before, state_of(model)))
    assert same(images, kept)
    assert same(labels, kept_labels)
    assert not images.requires_grad
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())
    assert hooks == [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()]


@every_diagnostic
def test_gradient_mode_does_not_matter(name):
    with torch.no_grad():
        without = diagnosed(name, "majority")
    assert without.to_csv() == usual(name, "majority").to_csv()


@every_diagnostic
def test_a_table_reads_back_from_its_csv(name):
    found = usual(name, "mean")
    header, *rows = csv.reader(io.StringIO(found.to_csv()))
    assert tuple(header) == found.columns
    kinds = [type(cell) for cell in found.rows[0]]
    assert tuple(tuple(kind(cell) for kind, cell in zip(kinds, row, strict=True)) for row in rows) == found.rows


@pytest.mark.parametrize("name", ["activations", "gradients"])
def test_what_draws_nothing_depends_on_no_seed(name):
    assert diagnosed(name, "multi-bit", seed=1).to_csv() == usual(name, "multi-bit").to_csv()


@pytest.mark.parametrize("name", ["epsilon", "steps"])
def test_what_starts_at_random_depends_on_the_seed(name):
    other = diagnosed(name, "multi-bit", seed=1, epsilon=0.05, steps=1)
    assert other.to_csv() != diagnosed(name, "multi-bit", epsilon=0.05, steps=1).to_csv()


def test_names_are_found_or_the_nearest_is_suggested():
    assert [one.name for one in find_diagnostics(["steps", "epsilon"])] == ["steps", "epsilon"]
    with pytest.raises(UnknownName, match=r"unknown diagnostic: got 'lipshitz'; .*did you mean 'lipschitz'"):
        find_diagnostics(["lipshitz"])
