# `make help` lists the targets. Each target installs what it needs; a machine needs only python3 and pip.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
N ?= 5000
SECONDS ?= 60
PORT ?= 5000

.PHONY: help venv generate test quick check judge demo app frozen docs oracle faults bench chart clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Create a virtual environment in the folder $(1). Debian's python3 has no ensurepip, so its own pip installs one.
define make-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed: make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(1) >/dev/null 2>&1 || { rm -rf $(1); \
	  $(PYTHON) -m venv --without-pip $(1) && $(PYTHON) -m pip --python $(1)/bin/python install -qq pip; }
endef

venv: .venv/.ready ## create .venv with all development dependencies

.venv/.ready: pyproject.toml
	@echo "setting up .venv (once, about half a minute) ..."
	$(call make-venv,.venv)
	@$(BIN)/python -m pip install -qq --upgrade pip # older versions lack --group
	@$(BIN)/python -m pip install -qq -e '.[async,emulator,progress]' --group dev
	@touch $@

.cache/demo/.ready: pyproject.toml
	@echo "setting up the demo's own environment (once, a few seconds) ..."
	$(call make-venv,.cache/demo)
	@.cache/demo/bin/python -m pip install -qq -e '.[emulator]'
	@touch $@

.cache/app/.ready: pyproject.toml examples/flask_app/requirements.txt
	@echo "setting up the application's own environment (once, a few seconds) ..."
	$(call make-venv,.cache/app)
	@.cache/app/bin/python -m pip install -qq -e '.[emulator]' -r examples/flask_app/requirements.txt
	@touch $@

COV ?=

generate: venv ## write the classes of the async client from the blocking ones
	@$(BIN)/python tools/generate_aio.py

test: venv ## run all tests; failed ones are repeated once, and listed at the end
	@$(BIN)/python tools/run_tests.py $(COV)

quick: venv ## run the fast tests (no Node, about a minute on two cores)
	@$(BIN)/python -m pytest -q -n auto -m 'not slow and not official' tests/unit tests/http tests/emulator tests/compat tests/migrate

check: venv ## run every check: style, spelling, types, imports, coverage, wheel, all interpreters, docs
	@$(BIN)/python tools/check.py

judge: venv ## run the long tests: 200,000 random comparisons and requests, ten minutes of faults, 50 crashes (an hour)
	@ORACLE_CASES=200000 $(BIN)/python -m pytest -m official -k oracle tests/official --timeout=3600
	@RULES_CASES=200000 $(BIN)/python -m pytest -m official -k targaryen tests/official --timeout=3600
	@REQUEST_FUZZ=200000 REALTIME_FUZZ_FRAMES=200000 $(BIN)/python -m pytest -k fuzz tests/emulator --timeout=3600
	@FAULT_SECONDS=600 $(BIN)/python -m pytest -s tests/faults --timeout=3600
	@ALL_CLIENTS=1 $(BIN)/python -m pytest -m slow tests/http tests/streams --timeout=3600
	@KEYS=1000000 $(BIN)/python -m pytest tests/unit/test_push_id.py --timeout=3600
	@CRASHES=50 CRASH_WRITES=10000 $(BIN)/python -m pytest tests/emulator/test_crashes.py --timeout=3600

demo: .cache/demo/.ready ## show accounts, database, streams and files on the embedded emulator, call by call
	@.cache/demo/bin/python examples/narrate.py examples/tutorial.py

app: .cache/app/.ready ## start the Flask application of the tutorial with the emulator (PORT=5000)
	@.cache/app/bin/python examples/flask_app/dev.py --port $(PORT)

frozen: venv ## build the demo as an executable (PyInstaller) and a zip file (zipapp), in dist/frozen
	@$(BIN)/python tools/frozen.py

docs: venv ## build the documentation incrementally; warnings are errors
	@$(BIN)/sphinx-build -q -W --keep-going docs docs/_build/html
	@echo "docs/_build/html/index.html"

oracle: venv ## compare N=200000 random queries with the official JavaScript SDK
	@ORACLE_CASES=$(N) $(BIN)/python -m pytest -m official -k oracle tests/official

faults: venv ## test live copies during SECONDS=60 of network faults
	@FAULT_SECONDS=$(SECONDS) $(BIN)/python -m pytest -s tests/faults

bench: venv ## measure against plain requests and Pyrebase4
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/storage.py
	@$(BIN)/python benchmarks/storage.py without-crc32c

chart: venv ## draw the chart of benchmarks/results.json
	@$(BIN)/python -m pip install -qq --group benchmarks
	@$(BIN)/python benchmarks/chart.py

clean: ## remove what the other targets created
	@rm -rf .venv .cache docs/_build docs/reference/api dist build .coverage .coverage.* .hypothesis .*_cache
