# `make help` lists what there is. Each target sets up what it needs by itself, on a machine with nothing but python3 and pip.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
N ?= 5000

.PHONY: help venv test quick check demo docs oracle bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/.ready ## make the virtual environment .venv with everything for development

# Debian ships a python3 whose venv has no pip: then the pip outside puts one inside.
$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
	  $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(VENV)/bin/python install -q pip; }

$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) ..."
	@$(BIN)/python -m pip install -q --upgrade pip
	@$(BIN)/python -m pip install -q -e '.[emulator,progress]' --group dev
	@touch $@

test: venv ## run all tests
	@$(BIN)/python -m pytest

quick: venv ## run the tests that take no more than a moment
	@$(BIN)/python -m pytest -m 'not slow and not official' tests

check: venv ## run every check: style, types, imports, coverage, wheel, all interpreters, docs
	@.ci/check

demo: ## set up by itself and run the tutorial against the embedded emulator
	@tools/demo

docs: venv ## build the documentation into docs/_build/html, warnings are errors
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

oracle: venv ## compare N random queries (N=200000) with the official JavaScript SDK
	@ORACLE_CASES=$(N) $(BIN)/python -m pytest -m official -k oracle tests/official

bench: venv ## measure against requests and Pyrebase4
	@$(BIN)/python benchmarks/run.py

clean: ## remove what the other targets made
	@rm -rf $(VENV) .cache docs/_build dist build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
