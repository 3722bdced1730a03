# make front: searches for four minutes and draws. make test: the whole test suite. Both make the environment first.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# Two test processes of one thread each: two threads each would make four fight for two cores.
.PHONY: front test lint types clean .venv

front: .venv
	$(BIN)/python -m search --objectives acc,pgd,bops --time 4m $(ARGS)

test: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-test
	$(BIN)/mypy

.venv: .venv/installed

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test,oracles]'
	$(BIN)/python -m pip install --quiet --no-deps 'adv-lib>=0.2.8'  # an oracle; what it draws with does not build
	touch .venv/installed $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
