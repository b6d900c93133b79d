# Two commands matter: `make demo` runs the main job on real data, `make test` passes the tests.
# Both create what they need. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
ROWS ?= 1 10
OPTIONS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup demo demo-loop airflow test test-fast lint format types servers benchmark benchmark-decisions lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(INSTALLED) ## create .venv with everything, the monitoring-tasks command included

$(INSTALLED): .requirements/dev.txt .requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, {sys.version.split()[0]} found: make PYTHON=/path/to/python3.12 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .requirements/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r .requirements/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

demo: $(INSTALLED) ## prepare the real flight data and monitor nine months of it
	$(BIN)/monitoring-tasks demo

demo-loop: $(INSTALLED) ## drift, alert, approval, retraining and recovery in a real Airflow, by itself
	$(BIN)/python -m monitoring_tasks.airflow.demo_loop

airflow: $(INSTALLED) ## start Airflow with the demo monitor in it, on 127.0.0.1
	$(BIN)/python -m monitoring_tasks.airflow.standalone

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED)
	$(BIN)/mypy

test: lint types servers ## everything: unit, integration with PostgreSQL, a real Airflow and its UI
	@# Airflow's four processes get the machine for themselves, before two workers share it.
	$(BIN)/pytest -q --hypothesis-profile=repeatable tests/end_to_end
	$(BIN)/pytest -n 2 --dist loadfile --hypothesis-profile=repeatable --durations=25 --ignore=tests/end_to_end

test-fast: lint types ## lint, types and the tests that need no server: six minutes
	$(BIN)/pytest -q -n 2 -m 'not integration'

# Tests that need a program say in their skip reason what is missing; here it is installed where that is allowed.
servers:
	@missing=(); \
	command -v pg_ctl >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' >/dev/null || missing+=(postgresql); \
	command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium); \
	[ $${#missing[@]} = 0 ] && exit 0; \
	if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then \
	  root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	  $$root apt-get update -qq \
	    && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null \
	    || echo "could not be installed: $${missing[*]}; the tests that need it are skipped"; \
	else echo "not installed, and apt-get may not be used here: $${missing[*]}; the tests that need it are skipped"; fi

benchmark: $(INSTALLED) ## rows x columns per second, peak memory and the ratio to the floor (ROWS="1 10", in millions)
	$(BIN)/python tests/benchmarks/scan.py $(ROWS)
	$(BIN)/python -m tests.benchmarks.quality $(ROWS)
	$(BIN)/python -m tests.benchmarks.alerts

benchmark-decisions: $(INSTALLED) ## false alarms and detection power, beside Evidently and NannyML (OPTIONS="--quick --markdown")
	$(BIN)/python -m tests.benchmarks.decisions $(OPTIONS)

clean: ## remove everything that was made: environment, demo, caches
	rm -rf $(VENV) .demo .demo-loop .monitoring .airflow .benchmark .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist

lock: $(INSTALLED) ## pin the newest versions again, with their hashes
	$(BIN)/uv pip compile .requirements/uv.in --upgrade --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file .requirements/uv.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra airflow --extra postgres --extra demo --extra expectations --extra dev \
	  --upgrade --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file .requirements/dev.txt
