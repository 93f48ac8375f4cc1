# The same commands here and in CI. Needs only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Once, and not at every start, also where Python is told to write no bytecode.
COMPILE := $(BIN)/python -m compileall -q bot webhooks storage sandbox
ARGS ?=
JOBS ?= 3
# Measuring coverage takes almost as long again as the tests: it is done apart, on one of the databases.
SHARED := --numprocesses $(JOBS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup install demo test coverage check format run requirements audit soak bench pictures

help:  ## what can be made here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Corkboard needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@echo "Setting up $(VENV), once: this takes a minute."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements-dev.txt
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(VENV)/dev  ## make the virtual environment with everything that working here needs

install: $(VENV)/runtime  ## what serving needs and nothing else, ready to be run by a user who may not write here
	@$(COMPILE)

demo: $(VENV)/runtime  ## play the main job on this machine, no account needed (ARGS=--headless plays, checks and exits)
	@$(BIN)/corkboard demo $(ARGS)

test: $(VENV)/dev  ## the whole suite, on SQLite and on PostgreSQL (which comes as a wheel); JOBS=1: in one process
	$(BIN)/python -m pytest $(SHARED) $(ARGS)

pictures: $(VENV)/dev  ## take the papers' pictures anew: the browser's tests play a lead on the sandbox page (needs Chromium)
	PICTURES=$(CURDIR)/docs/pictures $(BIN)/python -m pytest --quiet tests/browser -k pictures $(ARGS)

coverage: $(VENV)/dev  ## the suite without PostgreSQL, and how much of the code it reaches: 95 % at least
	$(BIN)/python -m pytest $(SHARED) -k "not postgresql" --cov --cov-report=term --cov-fail-under=95 $(ARGS)

check: $(VENV)/dev  ## format, lint, types, import contracts, migration drift, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --quiet -k "sqlite and together" tests/storage/test_new_tables.py
	$(BIN)/codespell

format: $(VENV)/dev  ## put every file into the house's format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: $(VENV)/dev  ## events of all kinds with random kills and faults, and what was lost or stood twice (ARGS="--events 20000 --kills 60 --seconds 7200")
	$(BIN)/python -m benchmarks.soak $(ARGS)

bench: $(VENV)/dev  ## all that is measured, in short (needs wrk; a quarter of an hour); ARGS go to the first, webhooks against a bare route
	@$(COMPILE)
	$(BIN)/python -m benchmarks.acknowledging $(ARGS)
	$(BIN)/python -m benchmarks.message
	$(BIN)/python -m benchmarks.start
	$(BIN)/python -m benchmarks.memory --events 5000
	$(BIN)/python -m benchmarks.beside --leads 2000 --seconds 8
	$(BIN)/python -m benchmarks.filled --leads 50000 --rounds 1
	$(BIN)/python -m benchmarks.backlog --leads 200 --channels 3
	$(BIN)/python -m benchmarks.idle --replicas 1 --seconds 20
	$(BIN)/python -m benchmarks.overload --seconds 4

run: $(VENV)/runtime  ## serve with the settings of .env
	@$(BIN)/corkboard serve $(ARGS)

requirements: $(VENV)/dev  ## pin the newest allowed versions, with hashes and without any index address
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

audit: $(VENV)/runtime  ## ask whether a pinned library has a known vulnerability (ARGS=--if-reachable: fails only for one)
	@$(BIN)/python .ci/audit.py $(ARGS)
