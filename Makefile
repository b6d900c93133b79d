# Two commands matter: `make demo` runs the main job on real data, `make test` passes the tests.
# Both create what they need. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup demo airflow test test-fast lint format types unit integration servers benchmark lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(INSTALLED) ## create .venv with everything, the monitoring-tasks command included

$(INSTALLED): .requirements/dev.txt .requirements/uv.txt pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, {sys.version.split()[0]} found: make PYTHON=/path/to/python3.12 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .requirements/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r .requirements/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

demo: $(INSTALLED) ## prepare the real flight data and monitor nine months of it
	$(BIN)/monitoring-tasks demo

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED)
	$(BIN)/mypy

test-fast: lint types ## lint, types and the tests that need no server: under two minutes
	$(BIN)/pytest -q -n auto -m 'not integration'

lock: $(INSTALLED) ## pin the newest versions again, with their hashes
	$(BIN)/uv pip compile .requirements/uv.in --upgrade --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file .requirements/uv.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra airflow --extra postgres --extra demo --extra dev \
	  --upgrade --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file .requirements/dev.txt
