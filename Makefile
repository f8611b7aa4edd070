# The two commands of the README; each sets everything up on a fresh machine.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: run test lint clean

run: .venv/ready
	$(BIN)/evo run --space mse

test: .venv/ready lint
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist
