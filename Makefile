# The two commands that matter: `make demo` and `make test`. Both set up .venv by themselves.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# An installed package has its bytecode: without it each of the hundreds of processes that the tests start compiles Skiff anew.
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
# What is imported is compiled then: compiling all that is installed takes a minute, and most of it is never imported.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q

.PHONY: help demo test check bench docs format setup clean soak

help:
	@echo "make demo    set up .venv and run the whole journey on bundled data (about 3 minutes)"
	@echo "make test    set up .venv and run the tests"
	@echo "make check   format, lint, types, import contract, documentation"
	@echo "make bench   print start-up, latency, parity, quality, monitoring and serving, as ratios against named peers"
	@echo "make soak    the tests of kills, malformed requests, restarts and false alarms in full (about an hour)"
	@echo "make docs    rebuild the reference pages that are made from the code"

$(VENV)/.core: requirements/core.txt requirements/build.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Skiff needs Python 3.11 or newer with venv: install it (Debian: apt-get install python3-venv) and run again."; exit 2; }
	@test -x $(BIN)/python || { echo "Setting up $(VENV) with $(PYTHON) …"; $(PYTHON) -m venv $(VENV); }
	@$(PIP) install --no-compile --require-hashes -r requirements/core.txt -r requirements/build.txt
	@$(PIP) install --no-compile --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements/dev.txt
	@echo "Installing what the tests need …"
	@$(PIP) install --no-compile --require-hashes -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.dev

demo: $(VENV)/.core
	@rm -rf demo && mkdir -p demo
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

check: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python docs/build_reference.py --check

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	@for b in start compiler data_checks leak_court quality monitor serve; do echo "== $$b"; $(BIN)/python benchmarks/$$b.py || exit 1; done
	@echo "== automl (what was measured on this machine; an hour to measure anew)"; $(BIN)/python benchmarks/automl/contest.py --print

soak: $(VENV)/.dev
	@SKIFF_KILLS=200 SKIFF_ERASE_STEPS=30 SKIFF_MALFORMED=10000 SKIFF_SCHEMA_EXAMPLES=1000 SKIFF_RESTARTS=20 SKIFF_CLIENTS=50 SKIFF_MONTHS=1000 \
		$(BIN)/python -m pytest -q --timeout=7200 tests/faults tests/serve tests/store/test_reviews.py tests/monitor/test_false_alarms.py

docs: $(VENV)/.dev
	@$(BIN)/python docs/build_reference.py

clean:
	@rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
